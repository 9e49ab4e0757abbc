// A page in Chromium whose flags come from OpenFeature's provider for browsers, by OFREP: it asks once, and
// then only when it is told to.
// Arguments: where it asks, the token, a flag. It prints a line of JSON for each thing that happens, and
// ends with its standard input. The page is of another origin than the server.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const modules = `${process.env.CFGCTL_TEST_CLIENTS}/node_modules`;
const { chromium } = createRequire(`${modules}/x.js`)('playwright-core');
const [baseUrl, token, flag] = process.argv.slice(2);

const imports = {
    '@openfeature/core': '/m/@openfeature/core/dist/esm/index.js',
    '@openfeature/web-sdk': '/m/@openfeature/web-sdk/dist/esm/index.js',
    '@openfeature/ofrep-core':
        '/m/@openfeature/ofrep-web-provider/node_modules/@openfeature/ofrep-core/index.esm.js',
    '@openfeature/ofrep-web-provider': '/m/@openfeature/ofrep-web-provider/index.esm.js',
};
const page = `<!doctype html><title>shop</title>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
const told = (what) => window.tell(JSON.stringify(what));
const client = OpenFeature.getClient();
const show = (event) => told({ event, value: client.getStringDetails(${JSON.stringify(flag)}, 'none') });
for (const [name, event] of [['ready', ProviderEvents.Ready], ['changed', ProviderEvents.ConfigurationChanged],
    ['stale', ProviderEvents.Stale], ['error', ProviderEvents.Error]]) {
    client.addHandler(event, () => show(name));
}
const provider = new OFREPWebProvider({
    baseUrl: ${JSON.stringify(baseUrl)},
    headers: [['Authorization', ${JSON.stringify(`Bearer ${token}`)}]],
    pollInterval: 0,
});
await OpenFeature.setContext({ targetingKey: 'user-1', tier: 'beta' });
await OpenFeature.setProviderAndWait(provider).catch((error) => told({ event: 'failed', error: String(error) }));
</script>`;

const files = createServer((request, response) => {
    if (request.url.startsWith('/m/') && !request.url.includes('..')) {
        response.setHeader('Content-Type', 'text/javascript');
        response.end(readFileSync(modules + request.url.slice(2)));
    } else {
        response.setHeader('Content-Type', 'text/html');
        response.end(page);
    }
});
await new Promise((done) => files.listen(0, '127.0.0.1', done));
const origin = `http://127.0.0.1:${files.address().port}`;

// Who lets the server start knows the origin before the page opens.
console.log(JSON.stringify({ event: 'origin', origin }));
await new Promise((done) => process.stdin.once('data', done));

const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_BIN,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
const tab = await browser.newPage();
await tab.exposeFunction('tell', (line) => console.log(line));
tab.on('pageerror', (error) => console.log(JSON.stringify({ event: 'failed', error: String(error) })));
tab.on('request', (request) => {
    if (request.url().includes('/ofrep/')) {
        const { pathname } = new URL(request.url());
        console.log(JSON.stringify({ event: 'asked', method: request.method(), path: pathname }));
    }
});
await tab.goto(origin);
process.stdin.resume();
process.stdin.on('end', async () => {
    await browser.close();
    process.exit(0);
});
