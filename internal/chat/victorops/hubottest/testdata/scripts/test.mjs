// What a script of a Hubot does.
export default robot => {
  robot.on('scripts have loaded', () => robot.messageRoom('timeline', 'ready'))
  robot.respond(/ping$/i, res => res.send('PONG'))
  robot.hear(/badgers/i, res => res.send('Badgers?'))
  robot.respond(/echo (.*)/is, res => res.reply(res.match[1]))
  robot.respond(/whoami/i, res => res.send(`name=${res.message.user.name} room=${res.message.room} id=${res.message.id} thread=${res.message.thread}`))
  robot.respond(/announce (.*)/i, res => robot.messageRoom(process.env.TEST_ROOM, res.match[1]))
  robot.respond(/topic (.*)/i, res => res.topic(res.match[1]))
  robot.respond(/later/i, res => { setTimeout(() => robot.messageRoom('timeline', 'later'), 50) })
  robot.respond(/choose/i, res => res.send({ text: 'Deploy?', buttons: [{ label: 'Yes', line: 'deploy web' }] }))
  robot.respond(/show yourself/i, res => res.sendFile(new URL(import.meta.url), 'this is me'))
  robot.respond(/VictorOps alert (.*)/i, res => {
    const alert = JSON.parse(res.match[1])
    res.send(`alert ${alert.INCIDENT_NAME} ${alert.NOTIFICATIONTYPE} ${alert.ANNOTATIONS.length} ${alert.SERVICEOUTPUT}`)
  })
  robot.respond(/VictorOps entitystate (.*)/i, res => {
    const state = JSON.parse(res.match[1])
    res.send(`state ${state.INCIDENT_NAME} ${state.CURRENT_ALERT_PHASE} paged ${state.USERS_PAGED.indexOf('kim')}`)
  })
  robot.on('watchroom.incident_triggered', entry => robot.messageRoom('timeline', `event ${entry.incident}`))
  robot.commands.register({
    id: 'deploy.run',
    description: 'Deploy an app',
    args: { app: { type: 'string', required: true } },
    confirm: 'never',
    handler: async ctx => `deployed ${ctx.args.app}`
  })
}
