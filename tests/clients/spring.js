// Loads the configuration of an application as Node's client of Spring Cloud Config does.
// Standard input: its options; standard output: all properties, or the error.
const { createRequire } = require('node:module');
const load = createRequire(`${process.env.CFGCTL_TEST_CLIENTS}/x.js`);
const client = load('cloud-config-client');

const read = async () => {
    let text = '';
    for await (const part of process.stdin) text += part;
    return JSON.parse(text);
};

read()
    .then((options) => client.load(options))
    .then((config) => ({ properties: config.properties, object: config.toObject(), raw: config.raw }))
    .catch((error) => ({ error: error.message }))
    .then((answer) => console.log(JSON.stringify(answer)));
