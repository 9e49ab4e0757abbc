// flagd's own evaluator: reads one request as JSON and answers it as JSON.
//
// `files` are flag files; of each it is said what flagd's schema has against it. `flags` is one more,
// whose flags are evaluated for every one of the `contexts` at the time `now`, in seconds.
'use strict';

const path = require('path');
const packages = path.join(process.env.CFGCTL_TEST_FLAGD, 'node_modules');
const { FlagdCore, MemoryStorage } = require(path.join(packages, '@openfeature/flagd-core'));

const silent = { error() {}, warn() {}, info() {}, debug() {} };

/** What the schema has against a file; null if nothing. */
function refusal(file) {
    try {
        new MemoryStorage(silent).setConfigurations(file, true);
        return null;
    } catch (error) {
        return String(error.message);
    }
}

/** What a flag is for a context. */
function answer(core, name, flag, context) {
    const type = typeof flag.variants.values().next().value;
    const found = core.resolve(type, name, null, context, silent);
    const isChosen = found.variant !== undefined;
    return {
        variant: isChosen ? found.variant : null,
        value: isChosen ? found.value : null,
        reason: found.reason,
    };
}

const request = JSON.parse(require('fs').readFileSync(0, 'utf8'));
Date.now = () => request.now * 1000;

const refusals = (request.files ?? []).map(refusal);
const answers = {};
if (request.flags) {
    const why = refusal(request.flags);
    if (why) throw new Error(why);
    const storage = new MemoryStorage(silent);
    storage.setConfigurations(request.flags, true);
    const core = new FlagdCore(storage, silent);
    for (const [name, flag] of core.getFlags()) {
        answers[name] = request.contexts.map((context) => answer(core, name, flag, context));
    }
}
process.stdout.write(JSON.stringify({ refusals, answers }));
