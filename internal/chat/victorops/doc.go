// Package victorops lets robots that were written for VictorOps' timeline chat
// talk in a room: it speaks the WebSocket protocol of wss://…/chat as the
// clients in the field expect it, quirks included.
//
// A robot is org.Robot: a key, a user whose name its lines carry, one room. It
// is sent what is said there by others, and when that is the organisation's
// timeline also every alert and every change of an incident.
//
// What it promises:
//   - A line of the room reaches the robot once and in order, also when the
//     server is restarted or the connection breaks for less than two minutes:
//     the place is kept among the cursors, and moved when the robot's side has
//     answered a ping sent after the line. Only after a crash within that round
//     trip a line can come twice.
//   - Older chat is never replayed, and alerts never are: scripts would act
//     upon them again.
//   - What the robot says is posted once for each TRANSACTION_ID.
//   - A second login with the same key takes over; the first connection ends.
//
// It leaves to others who may make robots (dispatch), what a message becomes
// once it is said, and which messages are commands of our own bot.
package victorops
