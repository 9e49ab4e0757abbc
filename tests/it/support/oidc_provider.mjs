// An OpenID provider at 127.0.0.1, with what the tests need to play people and pipelines beside it.
// Arguments: the port, 0 for any.
import { createHmac, createPublicKey, randomBytes } from 'node:crypto';
import http from 'node:http';

import * as jose from 'jose';
import Provider from 'oidc-provider';

// Nobody reads what it advises.
console.info = console.warn = () => {};

const keys = {};
for (const alg of ['RS256', 'ES256']) {
  const { privateKey } = await jose.generateKeyPair(alg, { extractable: true });
  const kid = randomBytes(8).toString('hex');
  keys[alg] = { privateKey, jwk: { ...(await jose.exportJWK(privateKey)), kid, alg, use: 'sig' } };
}

const counts = { discovery: 0, keys: 0 };
const server = http.createServer();
await new Promise((ready) => server.listen(Number(process.argv[1]), '127.0.0.1', ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const scopes = 'openid email profile';
const provider = new Provider(issuer, {
  clients: [{
    client_id: 'cfgctl',
    token_endpoint_auth_method: 'none',
    application_type: 'native',
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
    redirect_uris: [],
    response_types: [],
  }],
  jwks: { keys: Object.values(keys).map(({ jwk }) => jwk) },
  cookies: { keys: ['of no matter'] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: false }, deviceFlow: { enabled: true } },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true, groups: ['shop', 'on call'] }),
  }),
  interactions: { url: (_, { uid }) => `/test/interaction/${uid}` },
});
const callback = provider.callback();

const sign = async ({ claims, header = {}, alg = 'RS256' }) => {
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: issuer, iat: now, exp: now + 300, jti: randomBytes(16).toString('hex'), ...claims };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
  return new jose.SignJWT(given)
    .setProtectedHeader({ alg, kid: keys[alg].jwk.kid, typ: 'JWT', ...header })
    .sign(keys[alg].privateKey);
};

// What an attacker makes of a good one: without a signature, or with one by a key that is public.
const forge = async ({ claims, kind }) => {
  const good = await sign({ claims });
  const [, payload, signature] = good.split('.');
  const head = (header) => Buffer.from(JSON.stringify(header)).toString('base64url');
  const { jwk } = keys.RS256;
  if (kind === 'none') return `${head({ alg: 'none', typ: 'JWT' })}.${payload}.`;
  if (kind === 'none, with the signature') return `${head({ alg: 'none', kid: jwk.kid })}.${payload}.${signature}`;
  const publicKey = createPublicKey({ key: { kty: jwk.kty, n: jwk.n, e: jwk.e }, format: 'jwk' });
  const secret = kind === 'the key as PEM'
    ? publicKey.export({ type: 'spki', format: 'pem' })
    : Buffer.from(jwk.n, 'base64url');
  const signed = `${head({ alg: 'HS256', kid: jwk.kid, typ: 'JWT' })}.${payload}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
};

// A person with a browser, who types a code and says yes or no.
const consent = async ({ code, says }) => {
  const jar = new Map();
  const visit = async (address, form) => {
    const headers = { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') };
    const answer = await fetch(new URL(address, issuer), {
      headers, redirect: 'manual', ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value) jar.set(name, value);
      else jar.delete(name);
    }
    const next = answer.headers.get('location');
    return next ? visit(next) : answer.text();
  };
  const xsrf = (page) => /name="xsrf" value="([^"]+)"/.exec(page)[1];
  const asked = await visit('/device');
  const confirmed = await visit('/device', { xsrf: xsrf(asked), user_code: code });
  const last = says === 'no' ? { abort: 'yes' } : { confirm: 'yes' };
  return visit('/device', { xsrf: xsrf(confirmed), user_code: code, ...last });
};

const interact = async (request, response) => {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId: 'ana' } });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(scopes);
  const result = { consent: { grantId: await grant.save() } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
};

const body = async (request) => {
  let text = '';
  for await (const piece of request) text += piece;
  return JSON.parse(text);
};

server.on('request', async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, issuer);
  const answer = (text, status = 200) => {
    response.writeHead(status, { 'content-length': Buffer.byteLength(text), connection: 'close' });
    response.end(text);
  };
  try {
    if (pathname === '/test/sign') return answer(await sign(await body(request)));
    if (pathname === '/test/forge') return answer(await forge(await body(request)));
    if (pathname === '/test/consent') return answer(await consent(await body(request)));
    if (pathname === '/test/counts') return answer(JSON.stringify(counts));
    if (pathname.startsWith('/test/interaction/')) return await interact(request, response);
    if (pathname === '/test/runner') {
      // As GitHub's runner hands them to a job.
      if (request.headers.authorization !== 'Bearer runner') return answer('{}', 401);
      const claims = { ...JSON.parse(searchParams.get('claims')), aud: searchParams.get('audience') };
      return answer(JSON.stringify({ value: await sign({ claims }) }));
    }
    if (pathname === '/.well-known/openid-configuration') counts.discovery += 1;
    if (pathname === '/jwks') counts.keys += 1;
    return callback(request, response);
  } catch (error) {
    return answer(String(error.stack), 500);
  }
});
console.log(issuer);
