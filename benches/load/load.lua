-- Drives wrk for run.py: sends one request, or a batch of N pipelined ones, and prints figures as JSON.
--
-- Arguments (after `--`): the depth N, and the file that is sent as a body of JSON, if any. At depth 1 no `request` function is defined, so wrk
-- sends its constant request without entering Lua; otherwise the batch is one constant string, built
-- once a thread. The last line of output begins with HINNY_LOAD; latencies are in µs and, when
-- pipelined, those of a batch.

function init(args)
  local depth = tonumber(args[1]) or 1
  if args[2] then
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    wrk.body = assert(io.open(args[2], "rb")):read("*a")
  end
  if depth > 1 then
    local batch = string.rep(wrk.format(), depth)
    request = function() return batch end
  end
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format(
    'HINNY_LOAD {"requests":%d,"duration_us":%d,"bytes":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d},' ..
    '"latency_us":{"p50":%d,"p90":%d,"p99":%d,"p99_9":%d,"max":%d}}\n',
    summary.requests, summary.duration, summary.bytes,
    e.connect, e.read, e.write, e.timeout, e.status,
    latency:percentile(50), latency:percentile(90), latency:percentile(99),
    latency:percentile(99.9), latency.max))
end
