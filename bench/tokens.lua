-- For wrk: each request carries the next of the access tokens in the file that is named after `--`.
local requests = {}
local current = 0

function init (args)
  for token in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format('GET', nil, { authorization = 'Bearer ' .. token })
  end
end

function request ()
  current = current % #requests + 1
  return requests[current]
end
