import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { IHTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute'
import type { IScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject'
import type { IPodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor'
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment'
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap'
import type { IContainer } from 'kubernetes-models/v1/Container'
import type { IService } from 'kubernetes-models/v1/Service'
import { afterAll, describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { ENDPOINT } from '../../apps/gateway/src/app.ts'
import { readGatewayEnvironment } from '../../packages/service/src/gateway-environment.ts'
import { createTimes } from '../../packages/service/src/times.ts'
import { readWorkerEnvironment } from '../../packages/service/src/worker-environment.ts'
import { isHere, runIfHere } from '../testing-tool.ts'
import { build, type Manifest } from './testing-build.ts'
import { problemsOf } from './testing-schemas.ts'

const OVERLAYS = ['certification', 'production', 'demo'] as const
type Overlay = (typeof OVERLAYS)[number]

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const built = (overlay: Overlay) => build(at(`overlays/${overlay}`))

const all = <Kind>(manifests: readonly Manifest[], ...kinds: string[]) =>
  manifests.filter(({ kind }) => kinds.includes(kind)) as unknown as Kind[]

function one<Kind>(manifests: readonly Manifest[], kind: string, name: string): Kind {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name)
  if (!found) throw new Error(`there is no ${kind} ${name}`)
  return found as unknown as Kind
}

/** Deployments and the StatefulSet: what starts pods. */
const podsOf = (manifests: readonly Manifest[]) =>
  all<IDeployment>(manifests, 'Deployment', 'StatefulSet').map(({ metadata, spec }) => {
    const pod = spec?.template?.spec
    const [container] = pod?.containers ?? []
    if (!pod || !container) throw new Error('no container')
    return { name: String(metadata?.name), pod, container, labels: spec?.template?.metadata?.labels ?? {} }
  })

const podNamed = (manifests: readonly Manifest[], name: string) => {
  const found = podsOf(manifests).find((each) => each.name === name)
  if (!found) throw new Error(`no pods ${name}`)
  return found
}

type Selector = {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Record<string, string>): boolean {
  return (
    Object.entries(matchLabels).every(([name, value]) => labels[name] === value) &&
    matchExpressions.every(({ key, operator, values }) => operator === 'In' && values?.includes(labels[key] ?? ''))
  )
}

const portOf = (container: IContainer, name: unknown) => container.ports?.find((port) => port.name === name)

const settingsOf = (manifests: readonly Manifest[]) =>
  one<IConfigMap>(manifests, 'ConfigMap', 'pay-settings').data ?? {}

const folder = mkdtempSync(join(tmpdir(), 'pay-manifests-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What a process of this overlay would find at its start, with secrets in files of their own. */
function environmentOf(overlay: Overlay, name: string) {
  const manifests = built(overlay)
  const { container } = podNamed(manifests, name)
  const direct = Object.fromEntries((container.env ?? []).map((each) => [each.name, each.value ?? '']))
  const key = () => randomBytes(32).toString('base64')
  const redis = (host: string) => (overlay === 'demo' ? `redis://u:p@pay-${host}:6379` : `rediss://u:p@${host}.example`)
  const file = (secret: string, value: string) => {
    const path = join(folder, `${overlay}-${name}-${secret}`)
    writeFileSync(path, value)
    return path
  }
  const secrets = {
    QUEUE_REDIS_URL_FILE: file('queue-redis-url', redis('queue')),
    LEDGER_REDIS_URL_FILE: file('ledger-redis-url', redis('ledger')),
    SEAL_KEYS_FILE: file('seal-keys', `k1:${key()}`),
    LEDGER_KEY_FILE: file('ledger-key', key()),
  }
  const names = [...Object.keys(settingsOf(manifests)), ...Object.keys(direct)]
  return { names, direct, secrets, env: { ...settingsOf(manifests), ...direct, ...secrets } }
}

const READERS = { 'pay-gateway': readGatewayEnvironment, 'pay-worker': readWorkerEnvironment } as const

/** What is no part of us may take its time on a busy machine. */
const TOOLS_MS = 30_000

const withKustomize = isHere('kubectl') ? 'is what kubectl kustomize builds' : 'cannot be compared: kubectl is not here'

describe.each(OVERLAYS)('overlay %s', (overlay) => {
  const manifests = built(overlay)
  const pods = podsOf(manifests)
  const ours = ['pay-gateway', 'pay-worker'] as const

  it(withKustomize, { timeout: TOOLS_MS }, () => {
    const run = runIfHere('kubectl', ['kustomize', at(`overlays/${overlay}`)])
    if (!run) return

    // kustomize names a ConfigMap after its content, too.
    const text = run.stdout.replaceAll(/pay-settings-[a-z0-9]{10}\b/g, 'pay-settings')
    const theirs = parseAllDocuments(text).map((document) => document.toJS() as Manifest)

    expect(run.status, run.stderr).toBe(0)
    expect(sorted(manifests)).toEqual(sorted(theirs))
  })

  it.each(manifests.map((each) => [each.kind, each.metadata.name, each] as const))(
    '%s %s keeps to its official schema',
    async (_kind, _name, manifest) => {
      expect(await problemsOf(manifest)).toEqual([])
    },
  )

  it('lies in one namespace, in which only restricted pods may run', () => {
    const [namespace] = all<Manifest>(manifests, 'Namespace')

    expect(namespace?.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' })
    for (const { kind, metadata } of manifests) {
      expect(kind === 'Namespace' ? metadata.name : metadata.namespace).toBe(namespace?.metadata.name)
    }
  })

  it.each(pods)('$name has no rights that it does not need', ({ pod, container }) => {
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    })
    expect(pod.securityContext?.runAsUser).toBeGreaterThan(0)
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(container.resources).toMatchObject({
      requests: { cpu: expect.any(String), memory: expect.any(String) },
      limits: { cpu: expect.any(String), memory: expect.any(String) },
    })
  })

  it.each(pods)('$name runs an image that is named by its version', ({ container: { image = '' } }) => {
    const [name = '', tag] = image.split(/[:@](?=[^/]*$)/)
    const { version } = JSON.parse(readFileSync(at('../../package.json'), 'utf8')) as { version: string }

    if (name.endsWith('payconex-pay-connector')) expect(tag).toBe(version)
    expect(tag).toMatch(/^(?!latest$).+/)
  })

  it.each(ours)('%s would start with its environment', (name) => {
    const { env } = environmentOf(overlay, name)

    expect(READERS[name](env)).toMatchObject({ OPS_HOST: '0.0.0.0' })
  })

  it.each(ours)('%s is given no variable that it does not know', (name) => {
    const { names, env } = environmentOf(overlay, name)
    const known = [...Object.keys(readGatewayEnvironment(env)), ...Object.keys(readWorkerEnvironment(env)), 'CA_FILE']

    for (const each of names) expect([...known, ...known.map((variable) => `${variable}_FILE`)]).toContain(each)
  })

  it.each(ours)('%s has its secrets in files of mounted secrets, and nowhere else', (name) => {
    const { direct, secrets } = environmentOf(overlay, name)
    const { pod, container } = podNamed(manifests, name)

    expect(Object.keys(direct).filter((each) => each in secrets)).toEqual(Object.keys(secrets))
    for (const variable of Object.keys(secrets)) {
      const path = direct[variable] ?? ''
      const mount = container.volumeMounts?.find(({ mountPath }) => path.startsWith(`${mountPath}/`))
      const volume = pod.volumes?.find((each) => each.name === mount?.name)
      expect(mount).toMatchObject({ readOnly: true })
      expect(mount).not.toHaveProperty('subPath')
      expect(volume?.secret).toMatchObject({ defaultMode: 0o400 })
      // Named as npm run redis-users and docs/deploy.md name the files.
      expect(path).toMatch(/\/(queue-redis-url|ledger-redis-url|seal-keys|ledger-key)$/)
    }
    expect(all<Manifest>(manifests, 'Secret')).toEqual([])
  })

  it('listens where its ports say', () => {
    const { env } = environmentOf(overlay, 'pay-gateway')
    const { PORT, OPS_PORT } = readGatewayEnvironment(env)
    const gateway = podNamed(manifests, 'pay-gateway').container
    const worker = podNamed(manifests, 'pay-worker').container

    expect(portOf(gateway, 'http')?.containerPort).toBe(PORT)
    expect(portOf(gateway, 'ops')?.containerPort).toBe(OPS_PORT)
    expect(portOf(worker, 'ops')?.containerPort).toBe(readWorkerEnvironment(env).OPS_PORT)
  })

  it.each(pods)('$name is asked for its health where it answers', ({ name, container }) => {
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe].filter(Boolean)

    expect(probes.length).toBeGreaterThanOrEqual(2)
    for (const probe of probes) {
      const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port
      if (port !== undefined) expect(portOf(container, port), String(port)).toBeDefined()
      if (port === 'ops') expect(['/livez', '/readyz']).toContain(probe?.httpGet?.path)
    }
    // A pod is not replaced because something else is away.
    if (name === 'pay-gateway' || name === 'pay-worker') {
      expect(container.livenessProbe?.httpGet).toEqual({ path: '/livez', port: 'ops' })
    }
  })

  it('lets a gateway answer all who wait, and a worker hear PayConex out, before they are killed', () => {
    const { env } = environmentOf(overlay, 'pay-gateway')
    const times = createTimes(readGatewayEnvironment(env))
    const gateway = podNamed(manifests, 'pay-gateway')
    const worker = podNamed(manifests, 'pay-worker')
    const before = gateway.container.lifecycle?.preStop?.sleep?.seconds ?? 0
    const graceMs = (pods: typeof gateway) => 1000 * (pods.pod.terminationGracePeriodSeconds ?? 0)

    expect(before).toBeGreaterThanOrEqual(5)
    expect(graceMs(gateway)).toBeGreaterThan(1000 * before + times.leavingMs + times.answerByMs)
    expect(graceMs(worker)).toBeGreaterThan(times.sendByMs + times.payconexTimeoutMs + 10_000)
  })

  it('stays in service through rollouts and while nodes are emptied', () => {
    for (const name of ours) {
      const { spec } = one<IDeployment>(manifests, 'Deployment', name)
      const budget = one<IPodDisruptionBudget>(manifests, 'PodDisruptionBudget', name)
      const scaled = all<IScaledObject>(manifests, 'ScaledObject').find(
        (each) => each.spec?.scaleTargetRef.name === name,
      )
      const fewest = scaled?.spec?.minReplicaCount ?? spec?.replicas ?? 1

      expect(spec?.strategy?.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 })
      expect(selects(budget.spec?.selector as Selector, podNamed(manifests, name).labels)).toBe(true)
      expect(Number(budget.spec?.minAvailable)).toBeGreaterThanOrEqual(1)
      expect(Number(budget.spec?.minAvailable)).toBeLessThan(fewest)
      for (const { labelSelector } of podNamed(manifests, name).pod.topologySpreadConstraints ?? []) {
        expect(selects(labelSelector as Selector, podNamed(manifests, name).labels)).toBe(true)
      }
    }
  })

  it('leads each Service to a port that its pods have', () => {
    for (const { spec } of all<IService>(manifests, 'Service')) {
      const targets = pods.filter(({ labels }) => selects({ matchLabels: spec?.selector ?? {} }, labels))

      expect(targets).toHaveLength(1)
      for (const { targetPort } of spec?.ports ?? []) {
        for (const { container } of targets) expect(portOf(container, targetPort)).toBeDefined()
      }
    }
  })

  it('lets nothing through to a pod, or out of it, but what is named', () => {
    const policies = all<INetworkPolicy>(manifests, 'NetworkPolicy')
    const shut = one<INetworkPolicy>(manifests, 'NetworkPolicy', 'pay-nothing').spec

    expect(shut).toMatchObject({ policyTypes: ['Ingress', 'Egress'] })
    expect(shut).not.toHaveProperty('ingress')
    expect(shut).not.toHaveProperty('egress')
    for (const { labels } of pods) expect(selects(shut?.podSelector as Selector, labels)).toBe(true)
    for (const { spec } of policies) {
      const targets = pods.filter(({ labels }) => selects(spec?.podSelector as Selector, labels))
      expect(targets).not.toEqual([])
      for (const { from, ports } of spec?.ingress ?? []) {
        expect(from).toBeDefined()
        for (const { port } of ports ?? [{ port: 'no port is named' }]) {
          for (const { container } of targets) expect(portOf(container, port)).toBeDefined()
        }
      }
      for (const { to, ports } of spec?.egress ?? []) {
        expect(to).toBeDefined()
        expect(ports).toBeDefined()
      }
    }
  })

  it('lets only workers reach PayConex, and no gateway', () => {
    const mayReachAll = all<INetworkPolicy>(manifests, 'NetworkPolicy').filter(({ spec }) =>
      spec?.egress?.some(({ to }) => to?.some(({ ipBlock }) => ipBlock?.cidr === '0.0.0.0/0')),
    )
    const who = pods.filter(({ labels }) =>
      mayReachAll.some(({ spec }) => selects(spec?.podSelector as Selector, labels)),
    )

    expect(who.map(({ name }) => name)).toEqual(['pay-worker'])
  })
})

describe('overlay production', () => {
  const manifests = built('production')
  const times = createTimes(readGatewayEnvironment(environmentOf('production', 'pay-gateway').env))

  it('serves the PayConex where money moves, and certification the one where none does', () => {
    expect(settingsOf(manifests)).toMatchObject({ PAYCONEX_URL: 'https://secure.payconex.net', MODE: 'strict' })
    expect(settingsOf(built('certification'))).toMatchObject({
      PAYCONEX_URL: 'https://cert.payconex.net',
      MODE: 'strict',
    })
  })

  it('has a way in that waits longer than a gateway may take, and repeats nothing', () => {
    const [rule, ...others] = one<IHTTPRoute>(manifests, 'HTTPRoute', 'pay-gateway').spec?.rules ?? []
    const { request, backendRequest } = rule?.timeouts ?? {}
    const [port] = one<IService>(manifests, 'Service', 'pay-gateway').spec?.ports ?? []

    expect(others).toEqual([])
    expect(rule).not.toHaveProperty('retry')
    expect(rule?.matches).toEqual([{ path: { type: 'PathPrefix', value: ENDPOINT } }])
    expect(rule?.backendRefs).toEqual([{ name: 'pay-gateway', port: port?.port }])
    for (const time of [request, backendRequest]) {
      expect(time).toMatch(/^\d+s$/)
      expect(1000 * Number.parseInt(time ?? '', 10)).toBeGreaterThan(times.answerByMs)
    }
  })

  it('has as many workers as the waiting payments need, and says their number in one place', () => {
    const { metadata, spec } = one<IScaledObject>(manifests, 'ScaledObject', 'pay-worker')
    const trigger = spec?.triggers[0]?.metadata ?? {}

    expect(one<IDeployment>(manifests, 'Deployment', 'pay-worker').spec).not.toHaveProperty('replicas')
    expect(spec?.scaleTargetRef).toEqual({ name: 'pay-worker' })
    expect(trigger.query).toBe(`max(pay_gateway_oldest_waiting_seconds{namespace="${metadata?.namespace}"})`)
    expect(1000 * Number(trigger.threshold)).toBeLessThan(times.sendByMs / 4)
  })

  it('shows Prometheus the processes by the names that the alerts use', () => {
    const { jobLabel = '', selector, podMetricsEndpoints } = one<IPodMonitor>(manifests, 'PodMonitor', 'pay').spec ?? {}
    const alerts = readFileSync(at('../alerts/pay.yaml'), 'utf8')

    expect(podMetricsEndpoints).toEqual([{ port: 'ops', path: '/metrics', interval: '15s' }])
    for (const { labels } of podsOf(manifests)) {
      expect(selects(selector as Selector, labels)).toBe(true)
      expect(alerts).toContain(`up{job="${labels[jobLabel]}"}`)
    }
  })
})

describe('overlay demo', () => {
  it('needs only the secrets that docs/deploy.md says how to make, as do the others', () => {
    const page = readFileSync(at('../../docs/deploy.md'), 'utf8')
    const volumes = OVERLAYS.flatMap((overlay) => podsOf(built(overlay)).flatMap(({ pod }) => pod.volumes ?? []))
    const names = new Set(volumes.flatMap(({ secret }) => secret?.secretName ?? []))

    expect([...names]).toHaveLength(4)
    for (const name of names) expect(page).toContain(`create secret generic ${name} --from-file=`)
  })

  it('starts both Redis servers as docker-compose.yml does', () => {
    const compose = parse(readFileSync(at('../../docker-compose.yml'), 'utf8'), { merge: true })
    const manifests = built('demo')

    for (const name of ['queue', 'ledger']) {
      const { command = [], args = [] } = podNamed(manifests, `pay-${name}`).container
      expect([...command, ...args]).toEqual(compose.services[name].command)
    }
  })
})

describe('the schemas', () => {
  const gateway = () => one<Manifest>(built('demo'), 'Deployment', 'pay-gateway')

  it('notice a field that is misspelt', async () => {
    const text = JSON.stringify(gateway()).replace('readOnlyRootFilesystem', 'readonlyRootFilesystem')

    expect(await problemsOf(JSON.parse(text) as Manifest)).toEqual([
      '/spec/template/spec/containers/0/securityContext/readonlyRootFilesystem is no field of Deployment',
    ])
  })

  it('notice a value of another type', async () => {
    const text = JSON.stringify(gateway()).replace(
      '"terminationGracePeriodSeconds":75',
      '"terminationGracePeriodSeconds":"75s"',
    )

    expect(await problemsOf(JSON.parse(text) as Manifest)).toEqual([
      expect.stringContaining('terminationGracePeriodSeconds'),
    ])
  })
})

const sorted = (manifests: readonly Manifest[]) =>
  manifests.toSorted((a, b) => `${a.kind} ${a.metadata.name}`.localeCompare(`${b.kind} ${b.metadata.name}`))
