-- What wrk asks for, and what it looks at: every answer must be a 200 that says "right". Ends with one line of JSON.

local MOST_QUOTED = 5
local PATHS = { "/page.php?pause=100", "/page.php?rest=100" }
-- Every so many requests of a thread one takes a while, so that a reload meets requests that run.
local LONG_ONE = 50

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init()
    asked, wrong, quoted, editions = 0, 0, {}, {}
end

function request()
    asked = asked + 1
    local path = "/page.php"
    if asked % LONG_ONE == 0 then
        path = PATHS[1 + asked / LONG_ONE % #PATHS]
    end
    return wrk.format("GET", path)
end

function response(status, _, body)
    local edition = body:match("^right (%d+)\n$")
    if status == 200 and edition then
        editions[edition] = true
        return
    end
    wrong = wrong + 1
    local quote = status .. " " .. body:sub(1, 500)
    for _, known in ipairs(quoted) do
        if known == quote then return end
    end
    if #quoted < MOST_QUOTED then table.insert(quoted, quote) end
end

local function text(value)
    return '"' .. value:gsub('[%c"\\]', function(character) return ("\\u%04x"):format(character:byte()) end) .. '"'
end

function done(summary, latency)
    local wrong, seen, editions, quoted = 0, {}, 0, {}
    for _, thread in ipairs(threads) do
        wrong = wrong + thread:get("wrong")
        for edition in pairs(thread:get("editions")) do
            editions = editions + (seen[edition] and 0 or 1)
            seen[edition] = true
        end
        for _, body in ipairs(thread:get("quoted")) do
            table.insert(quoted, text(body))
        end
    end
    local errors = summary.errors
    io.write(('\n{"requests": %d, "seconds": %f, "median": %f, "p99": %f, "slowest": %f, '):format(
        summary.requests, summary.duration / 1e6,
        latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, latency.max / 1e6))
    io.write(('"wrong": %d, "editions": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d, "quoted": [%s]}\n'):format(
        wrong, editions, errors.connect, errors.read, errors.write, errors.timeout, table.concat(quoted, ", ")))
end
