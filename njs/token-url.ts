/** Pure: the access token in the target of a request, read byte by byte, as nothing else is that goes on to a session. */
const NAME = 'spawner-token=';

/** The values of the parameter `spawner-token`. Its name has to be written so: in no other way does Spawner write it. */
export function tokensOf(target: string): string[] {
  return parametersOf(target)
    .filter(isToken)
    .map((parameter) => parameter.slice(NAME.length));
}

/** The target without that parameter; every other byte stays. */
export function withoutTokens(target: string): string {
  const path = target.split('?')[0] as string;
  const kept = parametersOf(target).filter((parameter) => !isToken(parameter));
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`;
}

/**
 * A target as a Location that leads to where it came from. Browsers take `//name` and `/\name` for another host, even
 * where no server would.
 */
export function asLocation(target: string): string {
  return /^\/[/\\]/.test(target) ? `/.${target}` : target;
}

function isToken(parameter: string): boolean {
  return parameter.startsWith(NAME);
}

function parametersOf(target: string): string[] {
  const mark = target.indexOf('?');
  return mark < 0 ? [] : target.slice(mark + 1).split('&');
}
