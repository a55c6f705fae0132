import type { Check } from '../row.ts';
import { told } from '../told.ts';

export const proxies: Check[] = [
  {
    id: 'untrusted-proxy',
    says: 'a proxy that is not trusted is a client',
    expected: '127.0.0.1, http, <host>',
    see: (c) =>
      told(
        c,
        ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'],
        ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: public.test'],
      ),
  },
  {
    id: 'trusted-proxy',
    says: 'of a trusted proxy, what it says of its client arrives',
    expected: '192.0.2.1, 192.0.2.1, https, public.test',
    see: (c) =>
      told(
        c,
        ['x-forwarded-for', 'x-real-ip', 'x-forwarded-proto', 'x-forwarded-host'],
        ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: public.test'],
        'trusting',
      ),
  },
  {
    id: 'trusted-chain',
    says: 'only what trusted proxies added: a client’s own claim before it is dropped',
    expected: '192.0.2.1',
    see: (c) => told(c, ['x-forwarded-for'], ['X-Forwarded-For: 6.6.6.6, 192.0.2.1, 127.0.0.9'], 'trusting'),
  },
  {
    id: 'trusted-nonsense',
    says: 'nonsense of a trusted proxy is not passed on',
    expected: 'http, <host>',
    see: (c) =>
      told(
        c,
        ['x-forwarded-proto', 'x-forwarded-host'],
        ['X-Forwarded-Proto: gopher', 'X-Forwarded-Host: evil.test/x?y'],
        'trusting',
      ),
  },
];
