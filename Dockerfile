# beatbridge in an image: Node, what is built of src/, and what it needs to run; no compiler, no npm packages of development.
#
#   docker build -t beatbridge:0.1.0 .
#   docker run --read-only --cap-drop ALL -p 127.0.0.1:8848:8848 -v beatbridge:/data beatbridge:0.1.0
#
# As it stands nobody but the container itself may register: `--trust` or `--auth` lets others, see docs/deploy.md.

# Where Docker Hub cannot be reached: --build-arg NODE_IMAGE=MIRROR/library/node:24-slim
ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
# What is installed changes less often than sources do, and so has layers of its own.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY build.js tsconfig.json tsconfig.build.json ./
COPY src src
COPY console console
RUN node build.js && npm prune --omit=dev --no-audit --no-fund
# Owned by who runs it: a volume that is new takes that over.
RUN mkdir /data && chown 1000:1000 /data

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="beatbridge" \
      org.opencontainers.image.description="Heartbeats in, standard health out: a Nacos-compatible registry that answers grpc.health.v1.Health." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY proto proto
COPY package.json LICENSE ./
COPY --from=build --chown=1000:1000 /data /data
ENV NODE_ENV=production BEATBRIDGE_DATA_DIR=/data
VOLUME /data
# By number: Kubernetes cannot tell of a name whether it is root.
USER 1000:1000
# Nacos and health; where Nacos clients of 2.x look; health only.
EXPOSE 8848 9848 20000
# It takes signals as the first process too, and needs no init.
STOPSIGNAL SIGTERM
# Whether the bridge itself serves. Not so while it drains, which is right: it is about to go.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "/app/dist/cli/main.js", "check", "--addr", "127.0.0.1:20000"]
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["serve"]
