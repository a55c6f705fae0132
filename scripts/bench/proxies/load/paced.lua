-- Sends requests, or WebSocket messages, at a fixed rate whatever becomes of those before: at random moments, as visitors
-- do who do not know of each other. A latency counts from the moment on that it was due, so that a proxy which stalls is
-- charged for all that waits meanwhile. Or as fast as answers come. In LuaJIT because that can wait for microseconds and takes little of a processor,
-- both of which Node can't. paced.ts says what the arguments are; what it prints are the latencies.
local ffi = require("ffi")
ffi.cdef([[
  struct timespec { long seconds; long nanoseconds; };
  struct sockaddr { unsigned short family; unsigned char port[2]; unsigned char address[4]; char zero[8]; };
  struct pollfd { int fd; short events; short revents; };
  int socket(int domain, int type, int protocol);
  int connect(int fd, const struct sockaddr *address, unsigned int length);
  int setsockopt(int fd, int level, int name, const int *value, unsigned int length);
  long send(int fd, const char *data, unsigned long length, int flags);
  long recv(int fd, char *data, unsigned long length, int flags);
  int ppoll(struct pollfd *fds, unsigned long count, const struct timespec *timeout, const void *signals);
  int clock_gettime(int clock, struct timespec *time);
  int prctl(int option, unsigned long value);
]])
local C = ffi.C
local AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_NODELAY = 2, 1, 6, 1
local POLLIN, CLOCK_MONOTONIC, PR_SET_TIMERSLACK = 1, 1, 29

local kind, port, ids_file = arg[1], tonumber(arg[2]), arg[3]
local connections, per_second = tonumber(arg[4]), tonumber(arg[5])
local seconds, slice_seconds = tonumber(arg[6]), tonumber(arg[7])

local buffer, time, timeout = ffi.new("char[65536]"), ffi.new("struct timespec"), ffi.new("struct timespec")

local function now()
  C.clock_gettime(CLOCK_MONOTONIC, time)
  return tonumber(time.seconds) + tonumber(time.nanoseconds) / 1e9
end

local function send(fd, text)
  assert(C.send(fd, text, #text, 0) == #text, "can't send to the proxy")
end

-- What comes at once; all answers are so small that this is all of one.
local function receive(fd)
  local length = tonumber(C.recv(fd, buffer, 65536, 0))
  assert(length > 0, "the proxy has closed a connection")
  return ffi.string(buffer, length)
end

local function open()
  local fd = C.socket(AF_INET, SOCK_STREAM, 0)
  local address = ffi.new("struct sockaddr", { AF_INET, { math.floor(port / 256), port % 256 }, { 127, 0, 0, 1 } })
  assert(C.connect(fd, address, 16) == 0, "can't connect to the proxy")
  C.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ffi.new("int[1]", 1), 4)
  return fd
end

local function head(id, more)
  return "GET /p/" .. id .. "/ HTTP/1.1\r\nHost: 127.0.0.1:" .. port .. "\r\n" .. more .. "\r\n"
end

-- A client masks what it sends; a mask of zeros changes nothing.
local payload = string.rep("x", 64)
local message, echo = "\129\192\0\0\0\0" .. payload, "\129\64" .. payload
local upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
  .. "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

local function is_answer(text)
  if kind == "http" then
    return text:sub(1, 13) == "HTTP/1.1 200 " and text:find("\r\n\r\n%d+\n$") ~= nil
  end
  return text == echo
end

C.prctl(PR_SET_TIMERSLACK, 1)
math.randomseed(os.time())
local requests, ids = {}, {}
for id in io.lines(ids_file) do
  ids[#ids + 1] = id
  requests[#requests + 1] = kind == "http" and head(id, "") or message
end

local polled = ffi.new("struct pollfd[?]", connections)
local free, due_at, in_flight = {}, {}, 0
for index = 0, connections - 1 do
  polled[index] = { open(), POLLIN, 0 }
  free[#free + 1] = index
  if kind == "webSocket" then
    send(polled[index].fd, head(ids[index % #ids + 1], upgrade))
    assert(receive(polled[index].fd):sub(1, 13) == "HTTP/1.1 101 ", "the proxy opens no WebSocket")
  end
end

local slices = {}
local start = now()
local due, finish = start, start + seconds
-- Both are queues: what waits longest goes first, on the connection that rests longest.
local waiting, first_waiting, first_free = {}, 1, 1
while due < finish or in_flight > 0 or waiting[first_waiting] do
  local moment = now()
  if per_second == 0 then
    -- As fast as answers come: whatever connection rests is given something.
    due = moment
    for _ = first_free, moment < finish and #free or 0 do
      waiting[#waiting + 1] = moment
    end
  end
  while per_second > 0 and due <= moment and due < finish do
    waiting[#waiting + 1] = due
    due = due - math.log(1 - math.random()) / per_second
  end
  while waiting[first_waiting] and free[first_free] do
    local index = free[first_free]
    due_at[index] = waiting[first_waiting]
    first_waiting, first_free, in_flight = first_waiting + 1, first_free + 1, in_flight + 1
    send(polled[index].fd, requests[math.random(#requests)])
  end
  local left = per_second > 0 and due < finish and math.max(0, due - now()) or 1
  timeout.seconds, timeout.nanoseconds = math.floor(left), (left % 1) * 1e9
  if C.ppoll(polled, connections, timeout, nil) > 0 then
    for index = 0, connections - 1 do
      if polled[index].revents ~= 0 then
        assert(is_answer(receive(polled[index].fd)), "an answer is not as it should be")
        local slice = math.floor((due_at[index] - start) / slice_seconds) + 1
        slices[slice] = slices[slice] or {}
        table.insert(slices[slice], (now() - due_at[index]) * 1e6)
        free[#free + 1], in_flight = index, in_flight - 1
      end
    end
  end
end

-- A line for each slice: its latencies in µs.
for _, latencies in ipairs(slices) do
  print(table.concat(latencies, " "))
end
