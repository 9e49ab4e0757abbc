// Asks for flags through the SDK of OpenFeature for servers, which asks by OFREP.
// Standard input: {baseUrl, headers, context, flags: [[kind, key, default]…]}; one answer for each.
const { createRequire } = require('node:module');
const load = createRequire(`${process.env.CFGCTL_TEST_CLIENTS}/x.js`);
const { OpenFeature } = load('@openfeature/server-sdk');
const { OFREPProvider } = load('@openfeature/ofrep-provider');

const read = async () => {
    let text = '';
    for await (const part of process.stdin) text += part;
    return JSON.parse(text);
};

(async () => {
    const { baseUrl, headers, context, flags } = await read();
    await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl, headers }));
    const client = OpenFeature.getClient();
    const answers = [];
    for (const [kind, key, fallback] of flags) {
        const { value, variant, reason, errorCode, errorMessage, flagMetadata } =
            await client[`get${kind}Details`](key, fallback, context);
        answers.push({ value, variant, reason, errorCode, errorMessage, metadata: flagMetadata });
    }
    console.log(JSON.stringify(answers));
})().catch((error) => {
    console.error(error);
    process.exit(1);
});
