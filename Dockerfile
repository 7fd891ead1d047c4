# One image for gateway, worker and simulator; the command chooses. The sources run as they are, Node strips the types.
#
#   docker build -t payconex-pay-connector .
#   docker run --init --read-only --cap-drop ALL --security-opt no-new-privileges --ulimit core=0 payconex-pay-connector
#   docker run ... payconex-pay-connector node apps/worker/src/main.ts      a worker instead of the gateway
#
# For production name the base by its digest, too (SECURITY.md, "What is pinned"):
#   docker build --build-arg BASE=node:24-trixie-slim@sha256:... --build-arg REVISION=$(git rev-parse HEAD) .

ARG BASE=node:24-trixie-slim

# The manifests alone, whichever apps there are. What the next stage copies from here is the same until one of them changes, so that a
# change of source does not install anew.
FROM ${BASE} AS manifests
WORKDIR /app
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete && find . -type d -empty -delete

FROM ${BASE} AS app
WORKDIR /app
COPY --from=manifests /app ./
# The optional dependencies are this repository's own Node for machines with another one; the image has its own.
# Nothing that is installed may run while it is. What only npm reads does not stay.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-update-notifier \
  && rm -rf e2e node_modules/@pay/e2e package-lock.json node_modules/.package-lock.json .npmrc
COPY packages packages
COPY apps apps
COPY deploy/redis deploy/redis

FROM ${BASE} AS system
# What installs, builds or debugs is gone; sh and the small tools stay, for the keys of docker-compose.yml are made with them.
# So does dpkg's list of what is installed: scanners read it. No program may take another user's rights.
# Nobody may read Node's own file, only run it: of such a process the kernel writes no core dump, and it shows its memory and
# its environment to no other process of the same user (proc(5), "dumpable").
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /usr/local/share/* /opt/* /root/.npm /tmp/* \
    /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /usr/local/bin/docker-entrypoint.sh \
    /usr/bin/apt* /usr/lib/apt /var/lib/apt /var/cache/* /usr/bin/dpkg* /usr/bin/debconf* /usr/bin/perl* /usr/bin/bash \
  && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
  && chmod 711 "$(readlink -f "$(command -v node)")"
# Where docker-compose.yml keeps the keys and passwords it makes.
RUN mkdir -p /keys /redis/acl /redis/gateway /redis/worker /redis/operator /redis/cashier && chown -R 1000:1000 /keys /redis

# Copied into an empty image: what was removed is in no layer of it.
FROM scratch
COPY --from=system / /
COPY --from=app /app /app
WORKDIR /app
# SIGUSR1 would open a debugger, which sees everything that Node does. The other flags: scripts/stack/node-args.ts.
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin NODE_ENV=production NODE_OPTIONS="--disable-sigusr1 --max-semi-space-size=32 --use-largepages=silent"
# One port for operations, whichever of the services runs.
ENV OPS_PORT=9090
ARG BASE
ARG REVISION=""
LABEL org.opencontainers.image.title="payconex-pay-connector" \
  org.opencontainers.image.description="A Twilio Generic Pay Connector for Bluefin PayConex: charges each phone payment at most once." \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.base.name="${BASE}" \
  org.opencontainers.image.revision="${REVISION}"

# The user node, by its number: Kubernetes' runAsNonRoot believes nothing else.
USER 1000:1000
EXPOSE 8080
STOPSIGNAL SIGTERM
# Alive, not ready: a container must not be replaced because a Redis is away.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPS_PORT}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/gateway/src/main.ts"]
