import { setTimeout as sleep } from 'node:timers/promises'
import { events } from './sse.mjs'

// silence is how long a stream may say nothing: the server beats every 15 s.
const silence = 60_000

// tries is how often a request is made that the server did not take.
const tries = 4

// uploadFor is how long a file may take on its way.
const uploadFor = 300_000

// Problem is an answer that is none: what the server says is wrong.
export class Problem extends Error {
  constructor (status, text) {
    super(text)
    this.status = status
  }
}

// Client speaks Watchroom's API.
export class Client {
  constructor (url, token) {
    this.url = url.replace(/\/+$/, '') + '/api/v1'
    this.token = token
  }

  headers () {
    return { authorization: `Bearer ${this.token}`, accept: 'application/json' }
  }

  get (path) { return this.ask('GET', path) }
  post (path, body) { return this.ask('POST', path, body) }
  patch (path, body) { return this.ask('PATCH', path, body) }
  put (path, body) { return this.ask('PUT', path, body) }
  delete (path) { return this.ask('DELETE', path) }

  // upload sends bytes as a file, which is nobody else's until a message shows
  // it, and returns what the server calls it.
  async upload (name, bytes) { return (await this.ask('POST', `/files?name=${encodeURIComponent(name)}`, bytes)).id }

  // ask returns the answer's JSON, null when it is empty. It tries again when
  // the server surely did nothing: it was not there, or it said so.
  async ask (method, path, body) {
    for (let n = 1; ; n++) {
      const wait = await this.try(method, path, body, n === tries)
      if (wait.done) return wait.answer
      await sleep(wait.for)
    }
  }

  async try (method, path, body, last) {
    const headers = this.headers()
    const bytes = body instanceof Uint8Array
    if (body !== undefined) headers['content-type'] = bytes ? 'application/octet-stream' : 'application/json'
    let response
    try {
      const signal = AbortSignal.timeout(bytes ? uploadFor : 30_000)
      response = await fetch(this.url + path, { method, headers, body: bytes ? body : body && JSON.stringify(body), signal })
    } catch (err) {
      if (last || err.cause?.code !== 'ECONNREFUSED') throw err
      return { for: 1000 }
    }
    if (!last && (response.status === 429 || response.status === 503)) {
      await response.body?.cancel()
      return { for: Math.min(Number(response.headers.get('retry-after')) || 1, 30) * 1000 }
    }
    if (!response.ok) throw await problem(response)
    const text = await response.text()
    return { done: true, answer: text === '' ? null : JSON.parse(text) }
  }

  // all is every item of a list that comes in pages.
  async all (path) {
    const items = []
    let cursor = ''
    do {
      const page = await this.get(path + (path.includes('?') ? '&' : '?') + 'limit=100' + (cursor && '&cursor=' + encodeURIComponent(cursor)))
      items.push(...page.items)
      cursor = page.next_cursor
    } while (cursor)
    return items
  }

  // follow gives the entries of rooms as { id, entry }, from the one after the
  // number last on, or from now on. An entry may be absent, then only the
  // number has moved. It ends with the stream; opened is called with the
  // server's clock. When a backup was restored and last is of another past, the
  // server says { id, reset }: on from there. The epoch of the numbers tells it.
  async * follow (rooms, last, signal, opened) {
    const dead = new AbortController()
    let timer
    const alive = () => {
      clearTimeout(timer)
      timer = setTimeout(() => dead.abort(new Error('the stream is silent')), silence)
    }
    const headers = { ...this.headers(), accept: 'text/event-stream' }
    const query = new URLSearchParams({ rooms: rooms.join(',') })
    if (last !== undefined) {
      headers['last-event-id'] = String(last)
      if (this.epoch) query.set('epoch', this.epoch)
    }
    alive()
    try {
      const response = await fetch(`${this.url}/timeline/stream?${query}`, {
        headers, signal: AbortSignal.any([signal, dead.signal])
      })
      if (!response.ok) throw await problem(response)
      this.epoch = response.headers.get('watchroom-epoch') ?? this.epoch
      opened(Date.parse(response.headers.get('date') ?? '') || Date.now())
      const chunks = response.body.pipeThrough(new TransformStream({
        transform (chunk, out) {
          alive()
          out.enqueue(chunk)
        }
      }))
      for await (const { id, name, data } of events(chunks)) {
        if (name === 'reset') {
          const { seq, epoch } = JSON.parse(data)
          this.epoch = epoch
          yield { id: seq, reset: true }
        } else yield { id: id === undefined ? undefined : Number(id), entry: data && JSON.parse(data) }
      }
    } finally {
      clearTimeout(timer)
    }
  }
}

async function problem (response) {
  let text = ''
  try {
    text = (await response.json()).detail
  } catch {} // what is no problem document says nothing
  return new Problem(response.status, text || `the server answers ${response.status}`)
}
