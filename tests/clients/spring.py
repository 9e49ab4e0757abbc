"""Loads the configuration of an application as Python's client of Spring Cloud Config does.

Standard input: {address, app, profile, label, headers}; standard output: its configuration, or the error.
"""

import json
import sys

from config.spring import ConfigClient

asked = json.load(sys.stdin)
client = ConfigClient(
    address=asked["address"],
    app_name=asked["app"],
    profile=asked["profile"],
    label=asked["label"],
    fail_fast=False,
)
try:
    client.get_config(headers=asked["headers"])
    answer = {"config": client.config}
except ConnectionError as error:
    answer = {"error": str(error)}
json.dump(answer, sys.stdout)
