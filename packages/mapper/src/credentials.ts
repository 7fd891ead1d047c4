import type { Secret } from './secret.ts'

/** The merchant's PayConex account, as Twilio sends it: the Basic user and password.
 * https://developers.bluefin.com/payconex/docs/using-payconex-with-twilio */
export type Credentials = { accountId: string; accessKey: Secret }
