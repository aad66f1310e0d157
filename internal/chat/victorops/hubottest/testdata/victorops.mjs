// A Hubot adapter that talks as hubot-victorops 0.0.14 does, for which there is
// no package: bare ws 4, the same frames, timers and habits.
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { Adapter, TextMessage } from 'hubot'

const WebSocket = createRequire(import.meta.url)('ws')

class VictorOps extends Adapter {
  constructor (robot) {
    super(robot)
    this.name = 'victorops'
    this.interval = Number(process.env.HUBOT_VICTOROPS_LOGIN_INTERVAL ?? 5) * 1000
  }

  async run () { this.connect() }

  connect () {
    clearInterval(this.timer)
    this.loggedIn = this.hasState = false
    this.ws = new WebSocket(process.env.HUBOT_VICTOROPS_URL)
    this.ws.on('open', () => this.login())
    this.ws.on('error', err => this.robot.logger.info(`error ${err.message}`))
    this.ws.on('message', text => this.take(text))
    this.ws.on('close', () => { this.loggedIn = false })
    this.timer = setInterval(() => this.check(), this.interval)
  }

  check () {
    if (this.loggedIn && this.hasState) return this.frame({ MESSAGE: 'PING', TRANSACTION_ID: randomUUID() })
    this.ws.terminate()
    this.connect()
  }

  login () {
    this.frame({
      MESSAGE: 'ROBOT_LOGIN_REQUEST_MESSAGE',
      TRANSACTION_ID: randomUUID(),
      PAYLOAD: { PROTOCOL: '1.0', NAME: this.robot.name, KEY: process.env.HUBOT_VICTOROPS_KEY, DEVICE_NAME: 'hubot' }
    })
  }

  frame (message) {
    const text = JSON.stringify(message)
    if (this.ws.readyState === WebSocket.OPEN) this.ws.send(`VO-MESSAGE:${text.length}\n${text}`)
  }

  // The length is not looked at: all up to the first { is cut off.
  take (text) {
    const message = JSON.parse(text.replace('VO-MESSAGE:', '').replace(/^[^{]*/, ''))
    const payload = message.PAYLOAD
    switch (message.MESSAGE) {
      case 'LOGIN_REPLY_MESSAGE':
        this.loggedIn = payload.STATUS === '200'
        break
      case 'STATE_NOTIFY_MESSAGE':
        this.hasState = payload.ONCALL_LIST != null && payload.USER_STATUS_LIST != null
        if (this.hasState && !this.ready) this.emit('connected')
        this.ready ||= this.hasState
        break
      case 'CHAT_NOTIFY_MESSAGE':
        if (payload.CHAT.USER_ID !== this.robot.name) this.hear(payload.CHAT.USER_ID, payload.CHAT.TEXT.replace(/&quot;/g, '"'))
        break
      case 'ENTITY_STATE_NOTIFY_MESSAGE':
        for (const item of payload.SYSTEM_ALERT_STATE_LIST) this.hear('VictorOps', `${this.robot.name} VictorOps entitystate ${JSON.stringify(item)}`)
        break
      case 'TIMELINE_LIST_REPLY_MESSAGE':
        for (const item of payload.TIMELINE_LIST) {
          if (!item.ALERT) continue
          this.robot.emit('alert', item.ALERT)
          this.hear('VictorOps', `${this.robot.name} VictorOps alert ${JSON.stringify(item.ALERT)}`)
        }
    }
  }

  hear (name, text) { this.receive(new TextMessage(this.robot.brain.userForId(name), text)) }

  say (text) {
    this.frame({ MESSAGE: 'CHAT_ACTION_MESSAGE', TRANSACTION_ID: randomUUID(), PAYLOAD: { CHAT: { IS_ONCALL: false, IS_ROBOT: true, TEXT: text, ROOM_ID: '*' } } })
  }

  async send (envelope, ...strings) { this.say(strings.join('\n')) }
  async reply (envelope, ...strings) { this.say(`@${envelope.user.name}: ${strings.join('\n')}`) }

  close () {
    clearInterval(this.timer)
    this.ws.terminate()
    super.close()
  }
}

export default { use: async robot => new VictorOps(robot) }
