import { writeFileSync } from 'node:fs'
import { dashboard } from './dashboard.ts'

/* Makes deploy/observe/grafana/dashboards/pay.json from panels.ts: what Grafana is given. `npm run format` then. */

writeFileSync(new URL('grafana/dashboards/pay.json', import.meta.url), JSON.stringify(dashboard(), undefined, 2))
