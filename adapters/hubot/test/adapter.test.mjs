import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { makeAdapter } from '../src/adapter.mjs'
import { Client, Problem } from '../src/client.mjs'
import { events } from '../src/sse.mjs'

async function read (...chunks) {
  const found = []
  for await (const e of events((async function * () { for (const c of chunks) yield new TextEncoder().encode(c) })())) found.push(e)
  return found
}

test('a stream is read however it is cut', async () => {
  const text = 'retry: 3000\n\nid: 7\ndata: {"a":\ndata: 1}\n\n: beat\nid: 9\n\nevent: reset\ndata:x\r\n\r\n'
  const want = [{ id: '7', name: undefined, data: '{"a":\n1}' }, { id: '9', name: undefined, data: undefined }, { id: undefined, name: 'reset', data: 'x' }]
  assert.deepEqual(await read(text), want)
  for (let n = 1; n < text.length; n++) assert.deepEqual(await read(text.slice(0, n), text.slice(n)), want, `cut at ${n}`)
})

// A little of Hubot: enough for the adapter.
class Adapter extends EventEmitter {
  constructor (robot) { super(); this.robot = robot }
  receive (message) { this.robot.heard.push(message); this.robot.emit('heard') }
  close () { this.removeAllListeners() }
}
class TextMessage { constructor (user, text, id) { Object.assign(this, { user, text, id, room: user.room }) } }
class TopicMessage extends TextMessage {}
class Response {
  constructor (robot, envelope) { Object.assign(this, { robot, envelope }) }
  send (...strings) { return this.robot.adapter.send(this.envelope, ...strings) }
}
class Robot extends EventEmitter {
  Response = Response
  name = 'Hubot'
  heard = []
  logger = { info () {}, warn () {}, error () {} }
  brain = { userForId: (id, options) => ({ id, ...options }) }
}

// A little of Watchroom: rooms, people, a stream that the test writes.
async function server (t) {
  const s = { posted: [], files: [], streams: [], asked: [], epoch: 'e1', rooms: [{ id: '', kind: 'public' }, { id: 'r1', kind: 'public', slug: 'ops' }], said: [] }
  const http = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://x')
    s.asked.push(`${request.method} ${url.pathname}`)
    assert.equal(request.headers.authorization, 'Bearer wr_secret')
    const answer = (body, status = 200) => { response.writeHead(status, { 'content-type': 'application/json' }); response.end(JSON.stringify(body)) }
    let body = ''
    for await (const chunk of request) body += chunk
    switch (`${request.method} ${url.pathname.replace('/api/v1', '')}`) {
      case 'GET /me': return answer({ user: { id: 'u0', username: 'marvin' }, permissions: [] })
      case 'GET /rooms': return answer({ items: s.rooms })
      case 'GET /users':
        if (!url.searchParams.has('cursor')) return answer({ items: [{ id: 'u0', username: 'marvin', name: 'Marvin' }], next_cursor: 'more' })
        return answer({ items: [{ id: 'u1', username: 'kim', name: 'Kim' }] })
      case 'GET /timeline': return answer({ items: [{ seq: 0 }] })
      case 'GET /timeline/stream':
        response.writeHead(200, { 'content-type': 'text/event-stream', 'watchroom-epoch': s.epoch })
        response.write('retry: 3000\n\n')
        s.streams.push({ response, rooms: url.searchParams.get('rooms'), last: request.headers['last-event-id'], epoch: url.searchParams.get('epoch') })
        return http.emit('stream')
      case 'POST /files':
        if (url.searchParams.get('name') === 'large.bin') return answer({ detail: 'That is too large.' }, 413)
        s.files.push([url.searchParams.get('name'), request.headers['content-type'], body])
        return answer({ id: `f${s.files.length}` }, 201)
      case 'POST /rooms/gone/messages': return answer({ detail: 'There is no such room.' }, 404)
      case 'POST /rooms/busy/messages':
        if (s.asked.filter(a => a.includes('busy')).length < 2) {
          response.writeHead(503, { 'retry-after': '0.01' })
          return response.end()
        }
    }
    if (request.method === 'GET') return answer({ items: s.said })
    s.posted.push({ method: request.method, path: url.pathname.replace('/api/v1', ''), body: body && JSON.parse(body) })
    answer({ seq: 100 + s.posted.length }, 201)
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.after(() => { http.closeAllConnections(); http.close() })
  s.client = new Client(`http://127.0.0.1:${http.address().port}/`, 'wr_secret')
  s.stream = async n => { while (s.streams.length < n) await once(http, 'stream'); return s.streams[n - 1].response }
  return s
}

async function start (t, options = {}, prepare = () => {}) {
  const s = await server(t)
  prepare(s)
  const robot = new Robot()
  const Watchroom = makeAdapter({ Adapter, TextMessage, TopicMessage })
  const adapter = robot.adapter = new Watchroom(robot, s.client, options)
  t.after(() => adapter.close())
  const connected = once(adapter, 'connected')
  await adapter.run()
  await connected
  const stream = await s.stream(1)
  const say = (entry, to = stream) => {
    entry = { kind: 'message_posted', at: new Date().toISOString(), actor: { user: 'u1', name: 'Kim', origin: 'browser' }, ...entry }
    to.write(`id: ${entry.seq}\ndata: ${JSON.stringify(entry)}\n\n`)
  }
  const hear = async n => { while (robot.heard.length < n) await once(robot, 'heard'); return robot.heard[n - 1] }
  return { ...s, robot, adapter, say, hear, state: s }
}

test('what is said becomes a message with room, thread and number', async t => {
  const { robot, say, hear, streams } = await start(t)
  assert.deepEqual([streams[0].rooms, streams[0].last], ['timeline,r1', '0'])
  assert.equal(robot.alias, 'marvin')
  let kinds = []
  robot.on('watchroom', e => kinds.push(e.kind))
  say({ seq: 1, payload: { text: 'hubot ping' } })
  say({ seq: 2, actor: { user: 'u0', origin: 'robot' }, payload: { text: 'my own' } })
  say({ seq: 3, actor: { name: 'victor', origin: 'bot' }, payload: { text: 'the bot' } })
  say({ seq: 4, at: '2020-01-01T00:00:00Z', payload: { text: 'old' } })
  say({ seq: 5, kind: 'incident_triggered', payload: {} })
  say({ seq: 6, room: 'r1', thread: 4, payload: { text: 'in a thread', files: [{ id: 'f1' }] } })
  say({ seq: 7, room: 'r1', kind: 'room_changed', payload: { topic: 'on fire' } })
  const topic = await hear(3)
  const [first, second] = robot.heard
  assert.deepEqual([first.text, first.id, first.room, first.user.name, first.user.real_name, first.thread], ['hubot ping', '1', 'timeline', 'kim', 'Kim', undefined])
  assert.deepEqual([second.room, second.thread, second.files.length], ['ops', 4, 1])
  assert.ok(topic instanceof TopicMessage && topic.text === 'on fire')
  assert.equal(kinds.length, 7)
})

test('in a direct room the robot is always meant', async t => {
  const { say, hear } = await start(t, {}, s => s.rooms.push({ id: 'dm-u0-u1', kind: 'direct', members: ['u0', 'u1'] }))
  say({ seq: 1, room: 'dm-u0-u1', payload: { text: 'ping' } })
  say({ seq: 2, room: 'dm-u0-u1', payload: { text: '@marvin ping' } })
  const first = await hear(1)
  assert.deepEqual([first.text, first.room], ['Hubot ping', '@kim'])
  assert.equal((await hear(2)).text, '@marvin ping')
})

test('a restored backup begins other numbers', async t => {
  const { say, hear, stream, state, robot } = await start(t)
  say({ seq: 90, payload: { text: 'one' } })
  await hear(1)
  state.streams[0].response.end() // stop, restore, start
  state.epoch = 'e2'
  const second = await stream(2)
  assert.deepEqual([state.streams[1].last, state.streams[1].epoch], ['90', 'e1'])
  second.write('id: 40\nevent: reset\ndata: {"seq":40,"epoch":"e2"}\n\n')
  say({ seq: 41, payload: { text: 'two' } }, second)
  await hear(2)
  second.write('id: 39\nevent: reset\ndata: {"seq":39,"epoch":"e3"}\n\n') // under it
  second.end()
  await stream(3)
  assert.deepEqual([state.streams[2].last, state.streams[2].epoch], ['39', 'e3'])
  assert.deepEqual(robot.heard.map(m => m.text), ['one', 'two'])
})

test('a stream that breaks goes on after the last number', async t => {
  const { say, hear, stream, streams, robot, state } = await start(t)
  say({ seq: 1, payload: { text: 'one' } })
  await hear(1)
  streams[0].response.write('id: 8\n\n')
  streams[0].response.end()
  const second = await stream(2)
  assert.equal(state.streams[1].last, '8')
  say({ seq: 9, payload: { text: 'two' } }, second)
  assert.equal((await hear(2)).text, 'two')
  assert.equal(robot.heard.length, 2)
})

test('what scripts say goes where it belongs', async t => {
  const { adapter, state } = await start(t)
  const envelope = { room: 'ops', user: { name: 'kim' }, message: { room: 'ops', id: '7', thread: 5 } }
  assert.deepEqual(await adapter.send(envelope, 'a', ' ', 'b'), [{ seq: 101 }, { seq: 102 }])
  await adapter.reply(envelope, 'c')
  await adapter.emote({ room: '#ops' }, 'waves')
  await adapter.send({ room: '@kim' }, { text: 'Deploy?', buttons: [{ label: 'Yes', line: 'deploy web' }, { label: 'Log', url: 'https://x' }] })
  await adapter.send({ room: 'ops' }, { buttons: [{ label: 'Yes', line: 'deploy web' }] })
  await adapter.topic({ room: 'ops' }, 'quiet')
  await adapter.react(7, '👍')
  await adapter.edit(7, 'new')
  await adapter.remove(7)
  assert.deepEqual(await adapter.send({ room: 'gone' }, 'x'), []) // is logged
  await adapter.send({ room: 'busy' }, 'x')
  assert.deepEqual(state.posted, [
    { method: 'POST', path: '/rooms/ops/messages', body: { text: 'a', thread: 5 } },
    { method: 'POST', path: '/rooms/ops/messages', body: { text: 'b', thread: 5 } },
    { method: 'POST', path: '/rooms/ops/messages', body: { text: '@kim c', thread: 5 } },
    { method: 'POST', path: '/rooms/ops/messages', body: { text: '_waves_' } },
    { method: 'POST', path: '/rooms/%40kim/messages', body: { text: 'Deploy?\n- [Log](https://x)', actions: [{ label: 'Yes', line: 'deploy web' }] } },
    { method: 'POST', path: '/rooms/ops/messages', body: { text: '', actions: [{ label: 'Yes', line: 'deploy web' }] } },
    { method: 'PATCH', path: '/rooms/ops', body: { topic: 'quiet' } },
    { method: 'PUT', path: '/messages/7/reactions/%F0%9F%91%8D', body: '' },
    { method: 'PATCH', path: '/messages/7', body: { text: 'new' } },
    { method: 'DELETE', path: '/messages/7', body: '' },
    { method: 'POST', path: '/rooms/busy/messages', body: { text: 'x' } }
  ])
})

test('a file is uploaded and said where the question was', async t => {
  const { robot, adapter, state } = await start(t)
  const logged = []
  robot.logger.error = text => logged.push(text)
  const folder = await mkdtemp(join(tmpdir(), 'watchroom-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'größe.csv')
  await writeFile(path, 'a;b\n1;2\n')
  const envelope = { room: 'ops', user: { name: 'kim' }, message: { room: 'ops', id: '7', thread: 5 } }
  assert.deepEqual(await new robot.Response(robot, envelope).sendFile(path, 'the figures'), [{ seq: 101 }])
  await adapter.sendFile({ room: '@kim' }, pathToFileURL(path))
  await adapter.reply(envelope, { text: 'both', files: ['f0', { content: 'x', name: 'x.txt' }] })
  assert.deepEqual(await adapter.sendFile(envelope, { content: 'x', name: 'large.bin' }, 'not said'), [])
  assert.deepEqual(await adapter.sendFile(envelope, join(folder, 'none'), 'not said'), [])
  assert.equal(state.files.length, 3)
  assert.deepEqual(state.files[0], ['größe.csv', 'application/octet-stream', 'a;b\n1;2\n'])
  assert.deepEqual(state.posted, [
    { method: 'POST', path: '/rooms/ops/messages', body: { text: 'the figures', files: ['f1'], thread: 5 } },
    { method: 'POST', path: '/rooms/%40kim/messages', body: { text: '', files: ['f2'] } },
    { method: 'POST', path: '/rooms/ops/messages', body: { text: '@kim both', files: ['f0', 'f3'], thread: 5 } }
  ])
  assert.match(logged[0], /too large/)
  assert.match(logged[1], /no such file/)
})

test('answers may always open a thread', async t => {
  const { adapter, state } = await start(t, { threads: true })
  await adapter.send({ room: 'timeline', message: { room: 'timeline', id: '7' } }, 'x')
  await adapter.send({ room: 'ops', message: { room: 'timeline', id: '7' } }, 'elsewhere')
  assert.deepEqual(state.posted.map(p => p.body), [{ text: 'x', thread: 7 }, { text: 'elsewhere' }])
})

test('a refusal says why', async t => {
  const { client } = await server(t)
  await assert.rejects(client.post('/rooms/gone/messages', {}), err => err instanceof Problem && err.status === 404 && err.message === 'There is no such room.')
})
