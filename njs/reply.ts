/** What an admin call answers. An `error` is sent with the request's id. */
export interface Reply {
  status: number;
  body: { [field: string]: unknown };
  error?: { code: string; message: string };
}

export function ok(body: { [field: string]: unknown }): Reply {
  return { status: 200, body };
}

export function fail(status: number, code: string, message: string): Reply {
  return { status, body: {}, error: { code, message } };
}

export function badRequest(message: string): Reply {
  return fail(400, 'bad_request', message);
}

export function send(r: NginxHTTPRequest, reply: Reply): void {
  const body = reply.body;
  if (reply.error !== undefined) {
    body.error = {
      code: reply.error.code,
      message: reply.error.message,
      requestId: r.variables.request_id,
    };
  }
  r.headersOut['Content-Type'] = 'application/json';
  r.headersOut['Cache-Control'] = 'no-store';
  r.return(reply.status, `${JSON.stringify(body)}\n`);
}
