import test from 'ava';
import { ConfigError } from '../../../../daemon/errors.ts';
import { parsePodTemplate, readPodTemplate } from '../../../../daemon/runtime/kubernetes/pod-template.ts';
import { droppedFields } from '../../../../daemon/runtime/kubernetes/template-check.ts';

test('an empty file is a template, and so is a whole Pod', (t) => {
  t.deepEqual(parsePodTemplate(''), { metadata: { labels: {}, annotations: {} }, spec: { containers: [] } });
  t.deepEqual(parsePodTemplate('{"apiVersion":"v1","kind":"Pod","spec":{"priority":7}}').spec, {
    priority: 7,
    containers: [],
  } as never);
});

test('what is wrong is named by its path', (t) => {
  const wrong: [string, RegExp][] = [
    ['spec: {containers: [{image: x}]}', /^spec\.containers\[0\]\.name: every container needs a name/],
    ['spec: {containers: [{name: app, image: x}]}', /^spec\.containers\[app\]\.image: .*--application-image/],
    ['spec: {containers: [{name: other}]}', /^spec\.containers\[other\]\.image: .*needs an image/],
    ['spec: {containers: [{name: spawner-sidecar, image: x}]}', /^spec\.containers\[spawner-sidecar\]/],
    ['spec: {hostNetwork: true}', /^spec\.hostNetwork: .*address of its own/],
    ['metadata: {name: mine}', /^metadata\.name: not a part of a template/],
    ['metadata: {labels: {spawner/session: x}}', /^metadata\.labels\.spawner\/session/],
    ['metadata: {labels: {version: 1}}', /^metadata\.labels\.version: a text/],
    ['kind: Deployment', /^kind/],
    ['spec:\n\t- tab', /.+/],
    ['just words', /^the document/],
  ];
  for (const [text, message] of wrong) {
    const error = t.throws(() => parsePodTemplate(text), { message });
    t.notRegex(error.message, /\n/, text);
  }
});

test('a file that is not there is a line for the operator', (t) => {
  t.throws(() => readPodTemplate('/no/such/file.yaml'), {
    instanceOf: ConfigError,
    message: /^--pod-template \/no\/such\/file\.yaml can't be read/,
  });
});

test('fields that did not come back are found, and new ones are not minded', (t) => {
  const sent = { a: 1, b: { c: 'x', d: [{ e: 1 }, { f: 2 }] }, none: {}, off: false };
  const taken = { a: '1', b: { c: 'x', d: [{ e: 1, g: 2 }, {}] }, more: 1 };
  t.deepEqual(droppedFields(sent, taken, 'spec'), ['spec.b.d[1].f']);
  t.deepEqual(droppedFields({ nodeSelctor: { a: 'b' } }, {}, 'spec'), ['spec.nodeSelctor']);
});
