-- What wrk sends: requests for sessions in random order. Arguments: a file with an id a line, what follows the id's
-- path, and the bytes of a body to POST (0: GET). It ends with a line of JSON for wrk.ts.
local requests = {}

function init(args)
  local bytes = tonumber(args[3])
  local method, body = "GET", nil
  if bytes > 0 then
    method, body = "POST", string.rep("x", bytes)
  end
  for id in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format(method, "/p/" .. id .. "/" .. args[2], nil, body)
  end
  math.randomseed(os.time())
end

local calls = 0
function request()
  -- The first call is wrk's own test of this script; before the second, it would not hear an interrupt.
  calls = calls + 1
  if calls == 2 then
    io.stderr:write("started\n")
  end
  return requests[math.random(#requests)]
end

function done(summary)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('{"requests":%d,"microseconds":%d,"failed":%d}\n', summary.requests, summary.duration, failed))
end
