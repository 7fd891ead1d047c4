import { describe, expect, it } from 'vitest'
import { addressOf, placeOf } from './redis-url.ts'

describe('a URL of Redis', () => {
  it('names one server', () => {
    const place = placeOf('rediss://worker:p%40ss@ledger.internal:6380')

    expect(place?.isCluster).toBe(false)
    expect(place?.nodes.map((url) => url.href)).toEqual(['rediss://worker:p%40ss@ledger.internal:6380'])
  })

  it('names nodes of a cluster, each asked as the same user', () => {
    const place = placeOf('rediss+cluster://worker:a,b@one:7001,two,[::1]:7003')

    expect(place?.isCluster).toBe(true)
    expect(place?.nodes.map(({ username, password }) => `${username}:${password}`)).toEqual(Array(3).fill('worker:a,b'))
    expect(place?.nodes.map(({ protocol }) => protocol)).toEqual(Array(3).fill('rediss:'))
    expect(place?.nodes.map(addressOf)).toEqual(['one:7001', 'two:6379', '[::1]:7003'])
  })

  it('names a cluster by one name, which may stand for all of its nodes', () => {
    expect(placeOf('redis+cluster://all.internal:6379')).toMatchObject({ isCluster: true })
  })

  it.each([
    '',
    'http://one:6379',
    'redis://one:6379,two:6379',
    'redis://one,two',
    'redis+cluster://',
    'redis+cluster://one:6379,',
    'redis+cluster://one:not-a-port',
    'redis+sentinel://one:26379',
  ])('is none: %s', (text) => {
    expect(placeOf(text)).toBeUndefined()
  })
})
