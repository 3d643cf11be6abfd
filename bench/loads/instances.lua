-- For wrk: calls about instances, each about another one, as a Java client of 1.4 makes them.
--
--   wrk ... -s instances.lua URL -- beat|register|reregister|list|check COUNT [FIRST]
--
-- There are COUNT of them from FIRST on, ten to a service. They come in an order that no cache likes, and each as often as any other.

local request_of = {}
local tail = ' HTTP/1.1\r\nHost: bench\r\nUser-Agent: Nacos-Java-Client:v1.4.2\r\nClient-Version: 1.4.2\r\n'
  .. 'Content-Type: application/x-www-form-urlencoded;charset=UTF-8\r\nRequest-Module: Naming\r\n\r\n'
local path = '/nacos/v1/ns/instance'
local per_service = 10

local function service(i)
  return 'DEFAULT_GROUP%40%40com.shop.Service' .. math.floor(i / per_service)
end

local function ip(i)
  return '10.' .. math.floor(i / 65536) % 256 .. '.' .. math.floor(i / 256) % 256 .. '.' .. i % 256
end

function request_of.beat(i)
  return 'PUT ' .. path .. '/beat?app=unknown&namespaceId=public&port=20880&clusterName=DEFAULT&ip=' .. ip(i)
    .. '&serviceName=' .. service(i) .. tail
end

function request_of.register(i)
  return 'POST ' .. path .. '?app=unknown&metadata=%7B%7D&ip=' .. ip(i) .. '&weight=1.0&ephemeral=true&serviceName=' .. service(i)
    .. '&groupName=DEFAULT_GROUP&namespaceId=public&port=20880&enable=true&healthy=true&clusterName=DEFAULT' .. tail
end

function request_of.list(i)
  return 'GET ' .. path .. '/list?app=unknown&healthyOnly=false&namespaceId=public&clientIP=127.0.0.1&serviceName=' .. service(i)
    .. '&udpPort=0&clusters=' .. tail
end

-- As those are held that are not to fall silent.
local lasting = '%7B%22preserved.heart.beat.interval%22%3A%221000000%22%2C%22preserved.heart.beat.timeout%22%3A%222000000%22%2C'
  .. '%22preserved.ip.delete.timeout%22%3A%223000000%22%7D'

function request_of.reregister(i)
  return 'POST ' .. path .. '?app=unknown&metadata=' .. lasting .. '&ip=' .. ip(i) .. '&weight=1.0&ephemeral=true&serviceName='
    .. service(i) .. '&groupName=DEFAULT_GROUP&namespaceId=public&port=20880&enable=true&healthy=true&clusterName=DEFAULT' .. tail
end

function request_of.check(i)
  local body = '{"service":"com.shop.Service' .. math.floor(i / per_service) .. '"}'
  return 'POST /grpc.health.v1.Health/Check HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: '
    .. #body .. '\r\n\r\n' .. body
end

local make, count, first, i
-- A prime, so that with a count of tens and twos all of them come before any comes again.
local stride = 7919

function init(args)
  make, count, first, i = request_of[args[1]], tonumber(args[2]), tonumber(args[3] or '0'), 0
  -- New ones come one after the other.
  if args[1] == 'register' then stride = 1 end
end

function request()
  i = (i + stride) % count
  return make(first + i)
end
