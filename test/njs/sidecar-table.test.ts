import test from 'ava';
import fc from 'fast-check';
import { readSockets } from '../../njs/sidecar-table.ts';

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const HEAD6 =
  '  sl  local_address                         remote_address                        st tx_queue rx_queue tr\n';
const REST = ' 00000000:00000000 00:00000000 00000000     0        0 1681 1 00000000f7295bbc 100 0 0 10 0\n';
const POD = '0700000A';
const VISITOR = '0900000A';
const POD6 = '000000FD000000000000000001000000';
const VISITOR6 = '000000FD000000000000000002000000';

function line(local: string, remote: string, state: string): string {
  return `   0: ${local} ${remote} ${state}${REST}`;
}

test('a connection from elsewhere and a listener are seen', (t) => {
  const table =
    HEAD + line('00000000:1F90', '00000000:0000', '0A') + line(`${POD}:1F90`, `${VISITOR}:C350`, '01');
  t.deepEqual(readSockets(table, 8080), { listening: true, connections: [`${POD} ${VISITOR}:C350`] });
  const six = HEAD6 + line(`${POD6}:0050`, `${VISITOR6}:C350`, '01');
  t.deepEqual(readSockets(six, 80), { listening: false, connections: [`${POD6} ${VISITOR6}:C350`] });
});

test('no other state is a connection', (t) => {
  for (let state = 0; state < 16; state++) {
    const text = state.toString(16).toUpperCase().padStart(2, '0');
    const { connections } = readSockets(HEAD + line(`${POD}:1F90`, `${VISITOR}:C350`, text), 8080);
    t.is(connections.length, state === 1 ? 1 : 0, text);
  }
});

test('what comes from within the Pod is no visitor', (t) => {
  const mapped = (address: string) => `0000000000000000FFFF0000${address}`;
  const within = [
    ['0100007F', '0100007F'],
    [POD, '0200007F'],
    [POD, POD],
    [POD6, POD6],
    ['00000000000000000000000001000000', '00000000000000000000000001000000'],
    [mapped(POD), mapped('0100007F')],
    [mapped(POD), mapped(POD)],
  ];
  for (const [here, there] of within) {
    t.deepEqual(readSockets(HEAD + line(`${here}:1F90`, `${there}:C350`, '01'), 8080).connections, [], there);
  }
  // Not loopback, however alike it looks.
  for (const there of ['7F00000A', mapped(VISITOR), '0000000000000000000000000100007F']) {
    t.is(readSockets(HEAD + line(`${POD}:1F90`, `${there}:C350`, '01'), 8080).connections.length, 1, there);
  }
});

test('the app calling others, and other ports, are not counted', (t) => {
  const table =
    HEAD +
    line(`${POD}:C350`, `${VISITOR}:1F90`, '01') +
    line(`${POD}:239E`, `${VISITOR}:C350`, '01') +
    line('00000000:239E', '00000000:0000', '0A');
  t.deepEqual(readSockets(table, 8080), { listening: false, connections: [] });
});

test('a text that is not a whole table is an error, not an idle app', (t) => {
  const whole = HEAD + line(`${POD}:1F90`, `${VISITOR}:C350`, '01');
  const wrong = [
    '',
    '\n',
    'hello\n',
    whole.slice(0, -1),
    whole.slice(0, HEAD.length + 20),
    whole.slice(HEAD.length),
    `${whole}hello\n`,
    `${HEAD}   0: zz\n${line(`${POD}:1F90`, `${VISITOR}:C350`, '01')}`,
  ];
  for (const text of wrong) {
    t.throws(() => readSockets(text, 8080), { message: 'the text is not a TCP table' }, JSON.stringify(text));
  }
  t.deepEqual(readSockets(HEAD, 8080), { listening: false, connections: [] });
});

test('it agrees with a reader that takes every line apart', (t) => {
  const address = fc.constantFrom('0100007F', POD, VISITOR, '050000C0');
  const port = fc.constantFrom('1F90', '0050', 'C350', '01F9');
  const state = fc.constantFrom('01', '02', '03', '06', '08', '0A');
  const socket = fc.tuple(address, port, address, port, state);
  fc.assert(
    fc.property(fc.array(socket, { maxLength: 30 }), (sockets) => {
      const text = sockets.map(([here, p, there, q, s]) => line(`${here}:${p}`, `${there}:${q}`, s)).join('');
      const ours = sockets.filter(([, p]) => p === '1F90');
      t.deepEqual(readSockets(HEAD + text, 8080), {
        listening: ours.some(([, , , , s]) => s === '0A'),
        connections: ours
          .filter(([here, , there, , s]) => s === '01' && here !== there && there !== '0100007F')
          .map(([here, , there, q]) => `${here} ${there}:${q}`),
      });
    }),
  );
});
