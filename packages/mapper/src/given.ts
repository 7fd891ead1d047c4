/** The fields that say something. Unset arrives as missing, null, an empty string or, in Twilio's tutorial log for a
 * description nobody gave, as an empty object; after this it is missing and nobody has to ask again.
 * https://www.twilio.com/docs/voice/tutorials/how-to-capture-payment-during-a-voice-call-generic-pay-connector */
export const given = <Value>(fields: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> =>
  Object.values(fields).some(isUnset)
    ? Object.fromEntries(Object.entries(fields).filter(([, value]) => !isUnset(value)))
    : fields

export const isUnset = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || isEmptyObject(value)

const isEmptyObject = (value: unknown) => isPlainObject(value) && Object.keys(value).length === 0

export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
