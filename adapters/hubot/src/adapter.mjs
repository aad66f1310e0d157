import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const main = 'timeline' // the organisation's timeline, as rooms are called
const lookAgain = 15_000 // for rooms that the robot was let into
const tooOld = 120_000 // what was said before is not heard after a break
const longest = 30_000 // between two tries to connect

// makeAdapter makes the class from the Hubot that runs.
export function makeAdapter ({ Adapter, TextMessage, TopicMessage }) {
  return class Watchroom extends Adapter {
    constructor (robot, client, options = {}) {
      super(robot)
      this.name = 'watchroom'
      this.client = client
      this.options = options
      this.users = new Map() // by id
      this.rooms = new Map() // by id
      this.stopped = new AbortController()
      if (robot.Response) { // the listeners' own: middleware sees files, too
        robot.Response = class extends robot.Response {
          sendFile (file, caption) { return this.send(withFile(file, caption)) }
        }
      }
    }

    get log () { return this.robot.logger }

    // run says who we are, follows our rooms and does not return before close.
    async run () {
      this.me = (await this.client.get('/me')).user
      if (!this.me) throw new Error('HUBOT_WATCHROOM_TOKEN stands for nobody')
      const name = this.robot.name
      if (!this.robot.alias && name.toLowerCase() !== this.me.username) this.robot.alias = this.me.username
      await this.loadRooms()
      const latest = await this.client.get('/timeline?limit=1')
      this.last = latest.items.at(-1)?.seq // what is said from here on is heard, also when the stream breaks at once
      this.following = this.followAlways()
      this.looking = this.lookForRooms()
    }

    close () {
      this.stopped.abort()
      super.close()
    }

    // followAlways keeps a stream open. When it breaks it goes on after the last
    // entry that was seen, so that nothing is lost and nothing comes twice.
    async followAlways () {
      for (let failed = 0; !this.stopped.signal.aborted;) {
        this.renewed = new AbortController()
        try {
          await this.follow(AbortSignal.any([this.stopped.signal, this.renewed.signal]), () => { failed = 0 })
        } catch (err) {
          if (this.stopped.signal.aborted) return
          if (!this.renewed.signal.aborted) {
            failed++
            this.log.warn(`watchroom: ${err.message}; connecting again`)
          }
        }
        await this.pause(Math.min(longest, failed * failed * 500))
      }
    }

    async follow (signal, opened) {
      let from = 0
      const open = now => {
        from = now - tooOld
        opened()
        if (!this.connected) {
          this.connected = true
          this.log.info(`watchroom: connected as @${this.me.username} in ${[...this.rooms.values()].map(r => this.called(r)).join(', ')}`)
          this.emit('connected')
        }
      }
      for await (const { id, entry, reset } of this.client.follow([...this.rooms.keys()].map(id => id || main), this.last, signal, open)) {
        if (entry) await this.take(entry, from)
        if (reset) {
          this.log.warn('watchroom: the server was restored from a backup; what was said meanwhile is not heard')
          this.last = id
        } else if (id !== undefined) this.last = Math.max(id, this.last ?? 0)
      }
    }

    // take hands an entry to the scripts. It never throws: a script that does
    // must not end the stream.
    async take (entry, from) {
      try {
        this.robot.emit('watchroom', entry)
        this.robot.emit(`watchroom.${entry.kind}`, entry)
        if (Date.parse(entry.at) < from) return
        if (entry.kind === 'message_posted') await this.hear(entry)
        if (entry.kind === 'room_changed' && entry.payload.topic) {
          const user = await this.userOf(entry)
          if (user) await this.receive(new TopicMessage(user, entry.payload.topic, String(entry.seq)))
        }
      } catch (err) {
        this.log.error(err, `watchroom: entry ${entry.seq}`)
      }
    }

    async hear (entry) {
      const robots = ['robot', 'bot'].includes(entry.actor.origin)
      if (entry.actor.user === this.me.id || (robots && !this.options.robots)) return
      const user = await this.userOf(entry)
      const room = this.rooms.get(entry.room ?? '')
      let text = entry.payload.text ?? ''
      if (room?.kind === 'direct' && !this.addressed(text)) text = `${this.robot.name} ${text}` // there it is always meant
      const message = new TextMessage(user, text, String(entry.seq))
      message.thread = entry.thread
      message.incident = entry.incident
      message.files = entry.payload.files ?? []
      message.entry = entry
      await this.receive(message)
    }

    addressed (text) {
      const first = text.trim().replace(/^@/, '').toLowerCase()
      return [this.robot.name, this.robot.alias].some(name => name && first.startsWith(String(name).toLowerCase()))
    }

    // userOf is who made an entry, in the room where it stands.
    async userOf (entry) {
      const id = entry.actor.user
      if (id && !this.users.has(id)) {
        for (const u of await this.client.all('/users')) this.users.set(u.id, u)
      }
      const known = this.users.get(id)
      const name = known?.username ?? entry.actor.name ?? 'watchroom'
      const room = this.called(this.rooms.get(entry.room ?? '') ?? { id: entry.room ?? '' })
      return this.robot.brain.userForId(id || name, { name, real_name: known?.name ?? name, room })
    }

    // called is what scripts call a room, and what messageRoom takes.
    called (room) {
      if (!room.id) return main
      if (room.kind === 'direct') {
        const other = room.members?.find(m => m !== this.me.id)
        return other === 'bot' ? room.id : `@${this.users.get(other)?.username ?? other}`
      }
      return room.slug || room.id
    }

    // loadRooms finds the rooms to listen in; it returns those that are new.
    async loadRooms () {
      let found
      if (this.options.rooms?.length > 0) {
        found = await Promise.all(this.options.rooms.map(name => this.client.get(`/rooms/${encodeURIComponent(name.replace(/^#/, ''))}`)))
      } else {
        found = await this.client.all('/rooms?joined=true')
      }
      const direct = found.some(r => r.kind === 'direct' && !r.members.every(m => m === 'bot' || this.users.has(m)))
      if (direct) for (const u of await this.client.all('/users')) this.users.set(u.id, u)
      const fresh = found.filter(r => !this.rooms.has(r.id))
      const gone = this.rooms.size + fresh.length !== found.length
      this.rooms = new Map(found.map(r => [r.id, r]))
      return { fresh, gone }
    }

    // lookForRooms notices rooms that the robot was let into, and people who
    // write to it for the first time; what they said meanwhile is heard.
    async lookForRooms () {
      while (!this.stopped.signal.aborted) {
        const from = Date.now() - tooOld
        const before = this.last
        await this.pause(lookAgain)
        if (this.stopped.signal.aborted) return
        try {
          const { fresh, gone } = await this.loadRooms()
          for (const room of fresh) {
            if (before === undefined) continue
            const said = await this.client.get(`/rooms/${encodeURIComponent(room.id || main)}/messages?after=${before}&limit=100`)
            for (const entry of said.items) if (entry.seq <= (this.last ?? 0)) await this.take(entry, from)
          }
          if (fresh.length > 0 || gone) this.renewed?.abort()
        } catch (err) {
          this.log.warn(`watchroom: look for rooms: ${err.message}`)
        }
      }
    }

    async pause (ms) {
      try {
        await sleep(ms, undefined, { signal: this.stopped.signal })
      } catch {} // it was closed
    }

    // Scripts speak. A string is a message; an object is one with more:
    // { text, thread, incident, files, quote, buttons: [{ label, line, style, url }] }.
    // Each file is the id of one that was uploaded, or one that is sent with the
    // message: { path, name } or { content, name }. What was posted is returned,
    // each { seq }.

    async send (envelope, ...strings) { return this.post(envelope, strings, text => text) }

    async reply (envelope, ...strings) { return this.post(envelope, strings, text => `@${envelope.user?.name} ${text}`) }

    async emote (envelope, ...strings) { return this.post(envelope, strings, text => `_${text}_`) }

    async play (envelope, ...strings) { return this.send(envelope, ...strings) }

    // sendFile says a file with words about it. A file is a path, too.
    async sendFile (envelope, file, caption) { return this.send(envelope, withFile(file, caption)) }

    async post (envelope, strings, dress) {
      const posted = []
      for (const string of strings) {
        const body = typeof string === 'object' && string !== null ? { ...string } : { text: String(string) }
        const { actions, links } = sorted(body.buttons)
        body.text = [dress(body.text ?? ''), ...links].filter(Boolean).join('\n')
        if (actions.length > 0) body.actions = actions
        delete body.buttons
        body.thread ??= this.threadOf(envelope)
        if (body.text.trim() === '' && !body.files?.length && actions.length === 0) continue
        try {
          if (body.files) body.files = await this.upload(body.files)
          posted.push(await this.client.post(`/rooms/${this.target(envelope)}/messages`, body))
        } catch (err) { // a script's timer has nobody who would catch it
          this.log.error(`watchroom: say in ${this.roomOf(envelope)}: ${err.message}`)
        }
      }
      return posted
    }

    // upload sends those files that the server does not have, and returns the ids
    // of all. It is one after the other: a robot is one of many.
    async upload (files) {
      const ids = []
      for (const file of files) {
        if (typeof file === 'string') {
          ids.push(file)
          continue
        }
        const bytes = file.content === undefined ? await readFile(file.path) : Buffer.from(file.content)
        ids.push(await this.client.upload(file.name ?? basename(String(file.path ?? 'file.txt')), bytes))
      }
      return ids
    }

    async topic (envelope, ...strings) {
      try {
        return await this.client.patch(`/rooms/${this.target(envelope)}`, { topic: strings.join(' ') })
      } catch (err) {
        this.log.error(`watchroom: topic of ${this.roomOf(envelope)}: ${err.message}`)
      }
    }

    // What else a script may do with a message, by its number.
    async edit (seq, text) { return this.client.patch(`/messages/${seq}`, { text }) }
    async remove (seq) { return this.client.delete(`/messages/${seq}`) }
    async react (seq, emoji) { return this.client.put(`/messages/${seq}/reactions/${encodeURIComponent(emoji)}`) }

    roomOf (envelope) { return envelope.room ?? envelope.user?.room ?? main }

    target (envelope) { return encodeURIComponent(String(this.roomOf(envelope)).replace(/^#/, '')) }

    threadOf (envelope) {
      if (envelope.thread) return Number(envelope.thread)
      const message = envelope.message
      if (message?.room !== undefined && message.room !== this.roomOf(envelope)) return undefined
      if (message?.thread) return message.thread
      return this.options.threads && message?.id ? Number(message.id) : undefined
    }
  }
}

// withFile is a message with a file: one as in a message's list, or its path.
function withFile (file, caption) {
  const path = typeof file === 'string' || file instanceof URL
  return { text: caption, files: [path ? { path: file } : file] }
}

// sorted tells buttons that run a line from those that lead somewhere: these are
// written as links.
function sorted (buttons = []) {
  return {
    actions: buttons.filter(b => !b.url).map(({ label, line, style }) => ({ label, line, ...(style && { style }) })),
    links: buttons.filter(b => b.url).map(b => `- [${b.label}](${b.url})`)
  }
}
