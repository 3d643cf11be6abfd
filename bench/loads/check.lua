-- For wrk: the Check of a load balancer that speaks JSON, always the same one.
--
--   wrk ... -s check.lua URL -- BODY

function init(args)
  wrk.method = 'POST'
  wrk.headers['Content-Type'] = 'application/json'
  wrk.body = args[1]
end
