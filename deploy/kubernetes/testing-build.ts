import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'

/** Support for this folder's tests: as much of kustomize as our overlays use. manifests.test.ts compares it with kustomize itself
 * where that is there. Names of ConfigMaps get no hash. */

export type Manifest = { apiVersion: string; kind: string; metadata: Metadata; [field: string]: unknown }
type Metadata = { name: string; namespace?: string; labels?: Record<string, string> }

type Kustomization = {
  namespace?: string
  resources: string[]
  configMapGenerator?: { name: string; behavior?: 'merge'; literals: string[] }[]
  patches?: { path: string }[]
  images?: { name: string; newName?: string; newTag?: string }[]
}

const FIELDS = ['apiVersion', 'kind', 'namespace', 'resources', 'configMapGenerator', 'patches', 'images']

export function build(folder: string): Manifest[] {
  const kustomization = readAll(join(folder, 'kustomization.yaml'))[0] as unknown as Kustomization
  const unknown = Object.keys(kustomization).filter((field) => !FIELDS.includes(field))
  if (unknown.length > 0) throw new Error(`testing-build.ts does not know ${unknown.join(', ')}`)
  const { namespace, resources, configMapGenerator = [], patches = [], images = [] } = kustomization
  const own = resources.flatMap((path) => read(join(folder, path)))
  const settled = configMapGenerator.reduce(withSettings, own)
  const patched = patches.flatMap(({ path }) => readAll(join(folder, path))).reduce(withPatch, settled)
  return patched.map((manifest) => withImages(inNamespace(manifest, namespace), images) as Manifest)
}

const read = (path: string): Manifest[] => (statSync(path).isDirectory() ? build(path) : readAll(path))

/** Kubernetes reads YAML 1.1, in which 0400 is octal. */
function readAll(path: string): Manifest[] {
  const documents = parseAllDocuments(readFileSync(path, 'utf8'), { version: '1.1', merge: false })
  return documents.map((document) => {
    if (document.errors.length > 0 || document.warnings.length > 0) throw new Error(`${path} is no YAML`)
    return document.toJS() as Manifest
  })
}

type Generator = NonNullable<Kustomization['configMapGenerator']>[number]

function withSettings(manifests: Manifest[], { name, behavior, literals }: Generator): Manifest[] {
  const isIt = ({ kind, metadata }: Manifest) => kind === 'ConfigMap' && metadata.name === name
  const data = Object.fromEntries(literals.map((literal) => literal.split(/=(.*)/s).slice(0, 2)))
  if (behavior === 'merge') return manifests.map((each) => (isIt(each) ? (merge(each, { data }) as Manifest) : each))
  return [...manifests, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }]
}

function withPatch(manifests: Manifest[], patch: Manifest): Manifest[] {
  const isIt = ({ kind, metadata }: Manifest) => kind === patch.kind && metadata.name === patch.metadata.name
  if (manifests.filter(isIt).length !== 1) throw new Error(`no ${patch.kind} ${patch.metadata.name} to patch`)
  return manifests.map((each) => (isIt(each) ? (merge(each, patch) as Manifest) : each))
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Maps are merged, null takes a field away, whatever else is there is replaced. Lists of named things would have to be merged, too;
 * none of our patches has one. */
function merge(base: unknown, patch: unknown): unknown {
  if (Array.isArray(patch)) throw new Error('testing-build.ts merges no lists')
  if (!isMap(patch) || !isMap(base)) return patch
  const merged: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = merge(base[name], value)
  }
  return merged
}

const inNamespace = (manifest: Manifest, namespace: string | undefined): Manifest =>
  namespace === undefined || manifest.kind === 'Namespace'
    ? manifest
    : { ...manifest, metadata: { ...manifest.metadata, namespace } }

function withImages(value: unknown, images: NonNullable<Kustomization['images']>): unknown {
  if (Array.isArray(value)) return value.map((each) => withImages(each, images))
  if (!isMap(value)) return value
  const entries = Object.entries(value).map(([name, inner]) => [
    name,
    name === 'image' && typeof inner === 'string' ? imageOf(inner, images) : withImages(inner, images),
  ])
  return Object.fromEntries(entries)
}

function imageOf(image: string, images: NonNullable<Kustomization['images']>): string {
  const [name = '', tag] = image.split(':')
  const other = images.find((each) => each.name === name)
  return other ? `${other.newName ?? name}:${other.newTag ?? tag}` : image
}
