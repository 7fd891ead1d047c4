# One image for gateway, worker and simulator; the command chooses. The sources run as they are, Node strips the types.
#
#   docker build -t payconex-pay-connector .
#   docker run payconex-pay-connector                               the gateway
#   docker run payconex-pay-connector node apps/worker/src/main.ts  a worker

FROM node:24-trixie-slim AS dependencies
WORKDIR /app
# The manifests alone, so that a change of source does not install anew.
COPY package.json package-lock.json .npmrc ./
COPY packages/mapper/package.json packages/mapper/
COPY packages/payment-queue/package.json packages/payment-queue/
COPY packages/ledger/package.json packages/ledger/
COPY packages/service/package.json packages/service/
COPY apps/gateway/package.json apps/gateway/
COPY apps/worker/package.json apps/worker/
COPY apps/payconex-simulator/package.json apps/payconex-simulator/
COPY e2e/package.json e2e/
# The optional dependencies are this repository's own Node for machines with another one; the image has its own.
RUN npm ci --omit=dev --omit=optional --no-update-notifier && npm cache clean --force

FROM node:24-trixie-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app ./
COPY packages packages
COPY apps apps
# Where docker-compose.yml keeps the keys it makes.
RUN mkdir /keys && chown node:node /keys

USER node
# One port for operations, whichever of the services runs.
ENV OPS_PORT=9090
EXPOSE 8080
# Alive, not ready: a container must not be replaced because a Redis is away.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPS_PORT}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/gateway/src/main.ts"]
