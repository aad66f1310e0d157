// events reads a stream of server-sent events: { id, name, data } each. An event
// without data moves the id alone; most have no name.
export async function * events (chunks) {
  const decoder = new TextDecoder()
  let rest = ''
  let id
  let name
  let data = []
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true })
    // a \r at the end may be the first half of a line end
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop()
    for (const line of lines) {
      if (line === '') {
        if (id !== undefined || data.length > 0) yield { id, name, data: data.length > 0 ? data.join('\n') : undefined }
        id = name = undefined
        data = []
        continue
      }
      const at = line.indexOf(':')
      const field = at < 0 ? line : line.slice(0, at)
      const value = at < 0 ? '' : line.slice(at + 1).replace(/^ /, '')
      if (field === 'id') id = value
      if (field === 'event') name = value
      if (field === 'data') data.push(value)
    }
  }
}
