"""Asks for flags through the SDK of OpenFeature for Python, which asks by OFREP.

Standard input: {baseUrl, headers, context, flags: [[kind, key, default]...]}; one answer for each.
"""

import json
import sys

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

asked = json.load(sys.stdin)
headers = asked["headers"]
api.set_provider(OFREPProvider(asked["baseUrl"], headers_factory=lambda: headers))
client = api.get_client()
fields = dict(asked["context"])
context = EvaluationContext(fields.pop("targetingKey", None), fields)
answers = []
for kind, key, default in asked["flags"]:
    found = getattr(client, f"get_{kind}_details")(key, default, context)
    answers.append(
        {
            "value": found.value,
            "variant": found.variant,
            "reason": found.reason,
            "errorCode": found.error_code,
            "errorMessage": found.error_message,
            "metadata": dict(found.flag_metadata),
        }
    )
json.dump(answers, sys.stdout)
