import test from 'ava';
import { pageOf } from '../../../scripts/bench/page.ts';
import { plotOfReport, type Report } from '../../../scripts/bench/report.ts';

const ratio = { work: 'small GET', metric: 'CPU against static', unit: '×' };
const report: Report = {
  command: 'npm run bench -- proxies',
  rounds: 7,
  machine: { cores: 2, cpu: 'A & B', kernel: 'Linux 6.18', memoryGB: 24 },
  versions: { Node: '24.21.0' },
  suites: [
    {
      name: 'proxies',
      about: 'what they cost',
      rows: [
        { ...ratio, subject: 'slow <proxy>', value: 36.3 },
        { ...ratio, subject: 'router, pooled (nginx 1.30.6, njs 1.0.2)', value: 1.2 },
        { ...ratio, subject: 'static', value: 1 },
        { ...ratio, work: 'GET of 1 MB', subject: 'static', value: 1 },
      ],
      goals: [{ what: 'be quick', unit: '×', most: 1.15, measured: 1.1 }],
    },
  ],
};

test('the plot has a bar for each proxy, the quickest first, and ours in another colour', (t) => {
  const plot = plotOfReport(report) ?? '';
  const texts = [...plot.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  t.deepEqual(texts.slice(1), [
    'static',
    '1.00 ×',
    'router, pooled (nginx 1.30.6, njs 1.0.2)',
    '1.20 ×',
    'slow &#60;proxy&#62;',
    '36.3 ×',
  ]);
  const bars = [...plot.matchAll(/<path class="([^"]*)" d="M(\d+) \d+H(\d+)L(\d+)/g)].map(
    ([, name, from, to, bottom]) => ({ name, width: Number(to) - Number(from), cut: to !== bottom }),
  );
  t.deepEqual(
    bars.map(({ name, cut }) => ({ name, cut })),
    [
      { name: 'bar', cut: false },
      { name: 'bar ours', cut: false },
      { name: 'bar', cut: true },
    ],
  );
  t.is(bars[1]?.width, (bars[0]?.width ?? 0) * 1.2);
});

test('there is no plot of a run that compared no proxies', (t) => {
  t.is(plotOfReport({ ...report, suites: [] }), undefined);
});

test('the page names its command, the machine and the rounds, and shows all tables', (t) => {
  const page = pageOf(report, 'images/bench.svg');
  for (const part of [
    '`npm run bench -- proxies`',
    '2 cores of A & B, 24 GB, Linux 6.18',
    'the median of 7 rounds',
    '| be quick | ≤ 1.15 × | 1.10 × | met |',
    '| small GET | static | 1.00 |',
    '(images/bench.svg)',
  ]) {
    t.true(page.includes(part), part);
  }
  t.false(pageOf(report, undefined).includes('images/'));
});
