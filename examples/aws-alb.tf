# An Application Load Balancer reads nothing of a gRPC answer but its grpc-status, and that of a Check is 0 for NOT_SERVING as well: asked
# at /grpc.health.v1.Health/Check it sends traffic to the dead. So let it ask at /health/NAME, where the status itself says it: 0, or 14
# when the service is not available, or 5 when it is not known.
#
# It asks every target at the target's own address. A bridge for all is out of its reach: there has to be one beside each target, in the
# pod or on the host, and the target group names its port. If all targets are unhealthy, it sends to all of them.

resource "aws_lb_target_group" "orders" {
  name             = "orders"
  target_type      = "ip"
  vpc_id           = var.vpc_id
  port             = 8080
  protocol         = "HTTP"
  protocol_version = "GRPC"

  health_check {
    port                = 20000
    path                = "/health/orders"
    matcher             = "0"
    interval            = 10
    timeout             = 2
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

# Where nobody can set a path, ALB asks at /AWS.ALB/healthcheck and is content with 12, which every gRPC server says of what it does not
# have: it shows that the bridge runs, and no more. With `beatbridge serve --default-service orders` that path speaks of orders.
resource "aws_lb_target_group" "orders_default_path" {
  name             = "orders-default-path"
  target_type      = "ip"
  vpc_id           = var.vpc_id
  port             = 8080
  protocol         = "HTTP"
  protocol_version = "GRPC"

  health_check {
    port    = 20000
    path    = "/AWS.ALB/healthcheck"
    matcher = "0"
  }
}

# Targets that speak HTTP: the same path, and the status of HTTP.
resource "aws_lb_target_group" "orders_http" {
  name        = "orders-http"
  target_type = "ip"
  vpc_id      = var.vpc_id
  port        = 8080
  protocol    = "HTTP"

  health_check {
    port    = 20000
    path    = "/health/orders"
    matcher = "200"
  }
}

variable "vpc_id" {
  type = string
}
