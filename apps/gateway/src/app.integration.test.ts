import { gzipSync } from 'node:zlib'
import type { Verdict } from '@pay/mapper'
import { describe, expect, it } from 'vitest'
import { ENDPOINT } from './app.ts'
import { ACCESS_KEY, ACCOUNT, type Answer, basic, legacyCharge, visaCharge, visaToken, withApp } from './testing.ts'

const CARD = visaCharge.cardnumber
const LIMIT_BYTES = 64 * 1024
const body = (changes: object = {}) => JSON.stringify({ ...visaCharge, ...changes })
const approved = { charge_id: '000000012345', error_code: null, error_message: null }

/** The shape of every answer: three keys, in Twilio's order, and a sentence wherever there is a code. */
function expectRefusal({ json }: Answer, code: string, id: 'charge_id' | 'token_id' = 'charge_id'): void {
  expect(Object.keys(json)).toEqual([id, 'error_code', 'error_message'])
  expect(json).toMatchObject({ [id]: null, error_code: code, error_message: expect.stringMatching(/^[A-Z].+\.$/) })
}

describe('an answer', () => {
  it('to an approved charge is its charge_id', () =>
    withApp(async ({ ask }) => {
      const answer = await ask({ body: body() })

      expect(answer).toMatchObject({ status: 200, json: approved })
      expect(Object.keys(answer.json)).toEqual(['charge_id', 'error_code', 'error_message'])
    }))

  it('to a token is its token_id', () =>
    withApp(async ({ ask }) => {
      const { status, json } = await ask({ body: JSON.stringify(visaToken) })

      expect(status).toBe(200)
      expect(json).toEqual({ token_id: '000000012345', error_code: null, error_message: null })
    }))

  it('to a decline is PayConex’s own code and message, with status 200', () =>
    withApp(
      async ({ ask }) => {
        const { status, json } = await ask({ body: body() })

        expect(status).toBe(200)
        expect(json).toEqual({ charge_id: null, error_code: '30002', error_message: 'DECLINED' })
      },
      { pay: async () => ({ kind: 'declined', code: '30002', message: 'DECLINED' }) },
    ))

  it.each<Verdict['kind']>(['not_processed', 'unconfirmed', 'transaction_id_reused'])(
    'that is %s has status 200 and that code',
    (kind) =>
      withApp(
        async ({ ask }) => {
          const answer = await ask({ body: body() })

          expect(answer.status).toBe(200)
          expectRefusal(answer, kind)
        },
        { pay: async () => ({ kind }) as Verdict },
      ),
  )

  it('is JSON that no cache keeps, and does not say what program gave it', () =>
    withApp(async ({ ask }) => {
      const { headers } = await ask({ body: body() })

      expect(headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
      expect(headers).not.toHaveProperty('x-powered-by')
      expect(headers).not.toHaveProperty('server')
      expect(headers).not.toHaveProperty('etag')
    }))
})

describe('a request', () => {
  it('is paid once, with what it said, as it said it', () =>
    withApp(async ({ ask, tries }) => {
      await ask({ body: body() })

      const [theTry, ...others] = tries
      expect(others).toEqual([])
      expect(theTry?.body).toEqual(visaCharge)
      expect(theTry?.request).toMatchObject({ method: 'charge', transactionId: visaCharge.transaction_id })
      expect(theTry?.credentials.accountId).toBe(ACCOUNT)
      expect(theTry?.credentials.accessKey.expose()).toBe(ACCESS_KEY)
    }))

  it.each([
    'application/json',
    'application/json; charset=utf-16',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'nonsense',
    '',
  ])('is read as JSON when its Content-Type is "%s"', (type) =>
    withApp(async ({ ask }) => {
      const { json } = await ask({ body: body(), headers: { 'content-type': type } })

      expect(json).toEqual(approved)
    }),
  )

  it('is read as JSON without a Content-Type', () =>
    withApp(async ({ ask }) => {
      expect((await ask({ body: body() })).json).toEqual(approved)
    }))

  it.each([
    ['a trailing slash', `${ENDPOINT}/`],
    ['a query', `${ENDPOINT}?a=1`],
    ['the legacy path', `${ENDPOINT}/charge`],
    ['the legacy path and a trailing slash', `${ENDPOINT}/charge/`],
  ])('may come with %s', (_, path) =>
    withApp(async ({ ask }) => {
      expect((await ask({ path, body: body() })).json).toEqual(approved)
    }),
  )

  it('of before 2022 has its method in the path', () =>
    withApp(async ({ ask, tries }) => {
      await ask({ path: `${ENDPOINT}/charge`, body: JSON.stringify(legacyCharge) })
      const tokenized = await ask({ path: `${ENDPOINT}/tokenize`, body: JSON.stringify(legacyCharge) })

      expect(tries.map(({ request }) => request.method)).toEqual(['charge', 'tokenize'])
      expect(Object.keys(tokenized.json)).toEqual(['token_id', 'error_code', 'error_message'])
    }))

  it('whose path and body disagree about the method is refused', () =>
    withApp(async ({ ask, tries }) => {
      const answer = await ask({ path: `${ENDPOINT}/tokenize`, body: body() })

      expectRefusal(answer, 'invalid_request')
      expect(tries).toEqual([])
    }))

  it('may come in chunks, and the connection serves the next', () =>
    withApp(async ({ ask }) => {
      const headers = { 'transfer-encoding': 'chunked' }

      expect((await ask({ body: body(), headers })).json).toEqual(approved)
      expect((await ask({ body: body(), headers })).json).toEqual(approved)
    }))

  it('keeps a parameter named __proto__ to itself', () =>
    withApp(async ({ ask, tries }) => {
      await ask({ body: body().replace('"phone"', '"__proto__"') })

      expect(Object.keys(tries[0]?.request.parameters ?? {})).toContain('__proto__')
      expect({}).not.toHaveProperty('phone')
    }))
})

describe('the wrong door', () => {
  it.each(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('is 405 for %s and says what is allowed', (method) =>
    withApp(async ({ ask, tries }) => {
      const answer = await ask({ method })

      expect(answer).toMatchObject({ status: 405, headers: { allow: 'POST' } })
      expectRefusal(answer, 'invalid_request')
      expect(tries).toEqual([])
    }),
  )

  it('is 405 for HEAD, without a body', () =>
    withApp(async ({ ask }) => {
      expect(await ask({ method: 'HEAD' })).toMatchObject({ status: 405, headers: { allow: 'POST' }, text: '' })
    }))

  it('answers in the words of the legacy path', () =>
    withApp(async ({ ask }) => {
      expectRefusal(await ask({ method: 'GET', path: `${ENDPOINT}/tokenize` }), 'invalid_request', 'token_id')
    }))

  it.each(['/', '/api/v4/payments', `${ENDPOINT}/refund`, `${ENDPOINT}/charge/more`, `${ENDPOINT}x`, '//', '/%2e%2e/'])(
    'is 404 for %s',
    (path) =>
      withApp(async ({ ask, tries }) => {
        const answer = await ask({ path, body: body() })

        expect(answer.status).toBe(404)
        expectRefusal(answer, 'invalid_request')
        expect(tries).toEqual([])
      }),
  )

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf'])(
    'is 404 for the name %s, which every object has',
    (name) =>
      withApp(async ({ ask, tries }) => {
        const answer = await ask({ path: `${ENDPOINT}/${name}`, body: JSON.stringify(legacyCharge) })

        expect(answer.status).toBe(404)
        expect(tries).toEqual([])
      }),
  )

  it('is 400 for a path that cannot be decoded', () =>
    withApp(async ({ ask }) => {
      const answer = await ask({ path: `${ENDPOINT}/%zz`, body: body() })

      expect(answer.status).toBe(400)
      expectRefusal(answer, 'invalid_request')
    }))
})

describe('credentials', () => {
  it.each([
    ['missing', ''],
    ['of another scheme', `Bearer ${ACCESS_KEY}`],
    ['without a key', basic(ACCOUNT, '')],
    ['with a control character', basic(ACCOUNT, 'a\nb')],
    ['not allowed', basic('120615000002', ACCESS_KEY)],
  ])('that are %s are answered with 401, and asked for', (_, authorization) =>
    withApp(
      async ({ ask, tries }) => {
        const answer = await ask({ body: body(), headers: { authorization } })

        expect(answer.status).toBe(401)
        expect(answer.headers['www-authenticate']).toMatch(/^Basic realm="[^"]+"/)
        expectRefusal(answer, 'unauthorized')
        expect(answer.text).not.toContain(ACCESS_KEY)
        expect(tries).toEqual([])
      },
      { allowedAccounts: [ACCOUNT] },
    ),
  )

  it('are looked at before the body: 401 comes while the body is still under way', () =>
    withApp(async ({ write }) => {
      const heard = await write(`POST ${ENDPOINT} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{`)

      expect(heard).toMatch(/^HTTP\/1\.1 401 /)
    }))

  it('that are missing on the path for tokens are answered with a token_id', () =>
    withApp(async ({ ask }) => {
      const answer = await ask({ path: `${ENDPOINT}/tokenize`, headers: { authorization: 'Basic' } })

      expectRefusal(answer, 'unauthorized', 'token_id')
    }))
})

describe('a body that is not one JSON object', () => {
  it.each<[string, string | Uint8Array | undefined]>([
    ['is missing', undefined],
    ['is empty', ''],
    ['is a form', 'method=charge'],
    ['is cut off', body().slice(0, -1)],
    ['is followed by another', `${body()}${body()}`],
    ['is an array', `[${body()}]`],
    ['is a string', JSON.stringify(body())],
    ['is null', 'null'],
    ['is nested too deep', `{"parameters":${'{"a":'.repeat(10)}1${'}'.repeat(11)}`],
    ['is nested absurdly deep', '['.repeat(60_000)],
    ['says an amount twice', body().replace('"amount"', '"amount":"1.00","amount"')],
    ['says an amount twice, once in disguise', body().replace('"amount"', '"\\u0061mount":"1.00","amount"')],
    ['is not UTF-8', Buffer.from(body().replace('Pizza', '\xff'), 'latin1')],
    ['is UTF-16', Buffer.from(body(), 'utf16le')],
  ])('because it %s is answered with 400 and not paid', (_, sent) =>
    withApp(async ({ ask, tries, lines }) => {
      const answer = await ask({ body: sent })

      expect(answer.status).toBe(400)
      expectRefusal(answer, 'invalid_request')
      expect(answer.text).not.toContain(CARD)
      expect(tries).toEqual([])
      expect(JSON.stringify(lines)).not.toContain(CARD)
    }),
  )

  it.each(['gzip', 'deflate', 'br', 'zip'])(
    'because it is compressed (%s) is answered with 400 and not paid',
    (coding) =>
      withApp(async ({ ask, tries }) => {
        const answer = await ask({ body: gzipSync(body()), headers: { 'content-encoding': coding } })

        expect(answer.status).toBe(400)
        expectRefusal(answer, 'invalid_request')
        expect(tries).toEqual([])
      }),
  )

  it('is answered with 400 in the words of the legacy path', () =>
    withApp(async ({ ask }) => {
      expectRefusal(await ask({ path: `${ENDPOINT}/tokenize`, body: '[]' }), 'invalid_request', 'token_id')
    }))
})

describe('a body of 64 KiB', () => {
  const filled = (bytes: number) =>
    body().replace('4155550100', '5'.repeat(bytes - body().length + '4155550100'.length))

  it('is read to its last byte', () =>
    withApp(async ({ ask, tries }) => {
      const answer = await ask({ body: filled(LIMIT_BYTES) })

      expect(answer.status).toBe(200)
      expect(JSON.stringify(tries[0]?.body)).toHaveLength(LIMIT_BYTES)
    }))

  it.each([
    ['announced', {}],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ])('and one more, %s, is answered with 413 and not paid', (_, headers) =>
    withApp(async ({ ask, tries }) => {
      const answer = await ask({ body: filled(LIMIT_BYTES + 1), headers })

      expect(answer.status).toBe(413)
      expectRefusal(answer, 'invalid_request')
      expect(tries).toEqual([])
    }),
  )
})

describe('a field that cannot be', () => {
  /** Nothing that starts with this may come back or be logged. */
  const HOSTILE = '4111111111111111<script>'
  const NOT_TEXT = [true, [HOSTILE], { [HOSTILE]: HOSTILE }, [], Number.MIN_VALUE]
  const wrong: Record<string, { spoken: string; values: readonly unknown[] }> = {
    method: { spoken: 'payment method', values: [HOSTILE, 'constructor', '__proto__', 1, ...NOT_TEXT] },
    transaction_id: { spoken: 'transaction ID', values: ['', '\u0000', 'x'.repeat(51), '\ud800', ...NOT_TEXT] },
    cardnumber: {
      spoken: 'card number',
      values: [HOSTILE, '4111', '４１１１１１１１１１１１１１１１', -4, ...NOT_TEXT],
    },
    cvv: { spoken: 'security code', values: [HOSTILE, '12', '12345', -1, ...NOT_TEXT] },
    expiry_month: { spoken: 'expiration month', values: [HOSTILE, '0', '13', 1.5, ...NOT_TEXT] },
    expiry_year: { spoken: 'expiration year', values: [HOSTILE, '1', '1999', -1, ...NOT_TEXT] },
    amount: { spoken: 'amount', values: [HOSTILE, '0.00', '-1', '1e3', '10.005', '1000000', ' 1', ...NOT_TEXT] },
    currency_code: { spoken: 'currency', values: [HOSTILE, 'EUR', 'US', 840, ...NOT_TEXT] },
    description: { spoken: 'description', values: ['x'.repeat(65_001)] },
    postal_code: { spoken: 'postal code', values: [HOSTILE, true, [HOSTILE], { [HOSTILE]: HOSTILE }, []] },
    parameters: { spoken: 'list of parameters', values: [HOSTILE, 1, true, [HOSTILE], []] },
  }
  const cases = Object.entries(wrong).flatMap(([field, { spoken, values }]) =>
    values.map((value) => ({ field, spoken, value, label: JSON.stringify(value).slice(0, 40) })),
  )

  it.each(cases)('such as $field: $label is refused by its name and never by its value', ({ field, spoken, value }) =>
    withApp(async ({ ask, tries, lines }) => {
      const answer = await ask({ body: body({ [field]: value }) })

      expect(answer.status).toBe(200)
      expectRefusal(answer, 'invalid_request')
      expect(answer.json.error_message).toBe(`The ${spoken} is missing or not valid.`)
      expect(tries).toEqual([])
      expect(lines).toEqual([
        { level: 'info', fields: { event: 'try.invalid', field }, message: 'refused before queueing' },
      ])
    }),
  )

  it('is refused with a token_id when a token was asked for', () =>
    withApp(async ({ ask }) => {
      const answer = await ask({ body: JSON.stringify({ ...visaToken, cardnumber: HOSTILE }) })

      expectRefusal(answer, 'invalid_request', 'token_id')
    }))

  it('such as card and bank data together is refused', () =>
    withApp(async ({ ask, tries }) => {
      const answer = await ask({ body: body({ bankaccountnumber: '15378535', routingnumber: '244183602' }) })

      expectRefusal(answer, 'invalid_request')
      expect(tries).toEqual([])
    }))
})

describe('silence', () => {
  it('is the answer when nothing true can be said: the connection is closed', () =>
    withApp(
      async ({ ask }) => {
        await expect(ask({ body: body() })).rejects.toThrow('socket hang up')
      },
      { pay: async () => undefined },
    ))

  it('is the answer to an error of our own, of which only the name is logged', () =>
    withApp(
      async ({ ask, lines }) => {
        await expect(ask({ body: body() })).rejects.toThrow('socket hang up')

        expect(lines).toEqual([
          { level: 'error', fields: { event: 'try.failed', reason: 'TypeError' }, message: 'a try ended in an error' },
        ])
      },
      {
        pay: async () => {
          throw new TypeError(`cannot charge ${CARD}`)
        },
      },
    ))

  it('does not follow from an error that looks like one of HTTP', () =>
    withApp(
      async ({ ask }) => {
        await expect(ask({ body: body() })).rejects.toThrow('socket hang up')
      },
      {
        pay: async () => {
          throw Object.assign(new Error('not the caller’s fault'), { status: 404 })
        },
      },
    ))

  it('does not stop the next try', () => {
    const verdicts: (Verdict | undefined)[] = [undefined, { kind: 'approved', transactionId: '000000012345' }]
    return withApp(
      async ({ ask }) => {
        await expect(ask({ body: body() })).rejects.toThrow('socket hang up')

        expect((await ask({ body: body() })).json).toEqual(approved)
      },
      { pay: async () => verdicts.shift() },
    )
  })

  it('of the caller, who hangs up, is told to the try', async () => {
    const hungUp = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    await withApp(
      async ({ write }) => {
        await write(rawPost(body()))
        await held.promise

        await hungUp.promise
      },
      {
        pay: ({ hungUp: caller }) => {
          held.resolve()
          caller.onabort = () => hungUp.resolve()
          return hungUp.promise.then(() => undefined)
        },
      },
    )
  })
})

describe('a connection', () => {
  it('may carry several requests at once, which are answered in order', () => {
    const verdicts: Verdict[] = [{ kind: 'approved', transactionId: '000000000001' }, { kind: 'not_processed' }]
    return withApp(
      async ({ write, tries }) => {
        const heard = await write(rawPost(body()) + rawPost(body({ transaction_id: 'second' })))

        expect(heard.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
        expect(heard).toMatch(/000000000001.*not_processed/s)
        expect(tries).toHaveLength(2)
      },
      { pay: async () => verdicts.shift() },
    )
  })

  it.each([
    ['no number', 'Content-Length: x'],
    ['negative', 'Content-Length: -1'],
    ['said twice', 'Content-Length: 1\r\nContent-Length: 2'],
    ['contradicted by chunks', 'Content-Length: 4\r\nTransfer-Encoding: chunked'],
    ['said in hexadecimal', 'Content-Length: 0x10'],
  ])('whose Content-Length is %s is refused and closed', (_, header) =>
    withApp(async ({ write, tries }) => {
      const authorization = `Authorization: ${basic(ACCOUNT, ACCESS_KEY)}`

      const heard = await write(
        `POST ${ENDPOINT} HTTP/1.1\r\nHost: x\r\n${authorization}\r\n${header}\r\n\r\n${body()}`,
      )

      expect(heard).toMatch(/^HTTP\/1\.1 400 /)
      expect(heard).toMatch(/connection: close/i)
      expect(tries).toEqual([])
    }),
  )

  it('that ends in the middle of a body pays nothing and is no error of ours', () =>
    withApp(async ({ write, tries, lines }) => {
      await write(rawPost(body()).slice(0, -10))

      expect(tries).toEqual([])
      expect(lines).toEqual([])
    }))

  it('with more header bytes than any caller needs is refused', () =>
    withApp(async ({ write, tries }) => {
      const heard = await write(`POST ${ENDPOINT} HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`)

      expect(heard).toMatch(/^HTTP\/1\.1 431 /)
      expect(tries).toEqual([])
    }))

  it('with a body shorter than announced is not paid for what came next', () =>
    withApp(async ({ write, tries }) => {
      const short = rawPost('{}')

      await write(short.replace('Content-Length: 2', 'Content-Length: 1') + rawPost(body()))

      expect(tries).toEqual([])
    }))
})

describe('a caller who asks first whether to send the body', () => {
  it('is asked for it, and answered', () =>
    withApp(async ({ ask }) => {
      const heard = await ask({ body: body(), headers: { expect: '100-continue' } })

      expect(heard.json).toEqual(approved)
    }))
})

function rawPost(text: string): string {
  const headers = [
    'Host: x',
    `Authorization: ${basic(ACCOUNT, ACCESS_KEY)}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
  ]
  return `POST ${ENDPOINT} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${text}`
}
