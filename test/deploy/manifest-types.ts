/** What the tests read of compose.yaml. */
export interface Compose {
  services: {
    latchkey: ComposeService & { build: { context: string, dockerfile: string } }
    postgres: ComposeService
    redis: ComposeService & { healthcheck: { test: string[] } }
    nginx: ComposeService
    api: ComposeService & { build: string }
  }
  secrets: Record<string, { file: string }>
  volumes: Record<string, unknown>
  networks: { default: { ipam: { config: [{ subnet: string, ip_range: string }] } } }
}

interface ComposeService {
  command: string[]
  deploy: { replicas: number }
  depends_on?: Record<string, { condition: string }>
  environment: Record<string, string>
  healthcheck?: { test: string[] }
  networks: { default: { ipv4_address: string } }
  ports: string[]
  secrets?: string[]
  volumes?: string[]
}

/** What the tests read of latchkey.yaml for Kubernetes. */
export type Manifests = [Manifest & Deployment, Manifest & Service, Manifest & DisruptionBudget, Manifest & NetworkPolicy]

interface Manifest {
  apiVersion: string
  kind: string
}

interface Deployment {
  spec: {
    replicas: number
    selector: Selector
    template: {
      metadata: { labels: Labels }
      spec: {
        containers: [Container]
        terminationGracePeriodSeconds: number
        volumes: [{ secret: { secretName: string } }]
      }
    }
  }
}

type Labels = Record<string, string>

interface Selector {
  matchLabels: Labels
}

interface Container {
  env: Array<{ name: string, value: string }>
  lifecycle: { preStop: { sleep: { seconds: number } } }
  ports: [Port, Port]
  securityContext: object
  startupProbe: Probe
  readinessProbe: Probe
  livenessProbe: Probe
}

interface Port {
  name: string
  containerPort: number
}

interface Probe {
  httpGet: { path: string, port: string }
}

interface Service {
  spec: { selector: Labels, ports: unknown[] }
}

interface DisruptionBudget {
  spec: { minAvailable: number, selector: Selector }
}

interface NetworkPolicy {
  spec: { podSelector: Selector }
}

/** What the tests read of secret.yaml.example. */
export interface Secret {
  metadata: { name: string }
  stringData: Record<string, string>
}
