package timeline

import (
	"encoding/json"
	"fmt"
)

// Decode reads a stored payload of the given kind.
func Decode(kind Kind, data []byte) (Payload, error) {
	switch kind {
	case AlertReceived:
		return decode[AlertBody](data)
	case IncidentTriggered:
		return decode[Triggered](data)
	case IncidentUpdated:
		return decode[Updated](data)
	case IncidentRetriggered:
		return decode[Retriggered](data)
	case IncidentAcknowledged:
		return decode[Acknowledged](data)
	case IncidentUnacknowledged:
		return decode[Unacknowledged](data)
	case IncidentResolved:
		return decode[Resolved](data)
	case IncidentSnoozed:
		return decode[Snoozed](data)
	case SnoozeEnded:
		return decode[SnoozeOver](data)
	case IncidentRerouted:
		return decode[Rerouted](data)
	case ResponderAdded:
		return decode[Responder](data)
	case NoteAdded:
		return decode[Noted](data)
	case StepStarted:
		return decode[Step](data)
	case StepSkipped:
		return decode[Skipped](data)
	case EscalationExhausted:
		return decode[Exhausted](data)
	case PageSent:
		return decode[PageState](data)
	case PageRetrying:
		return decode[PageRetry](data)
	case PageFailed:
		return decode[PageLost](data)
	case MessagePosted:
		return decode[Message](data)
	case OrgChanged:
		return decode[Change](data)
	case ResponderAcknowledged:
		return decode[PartAcknowledged](data)
	case AckExpired:
		return decode[AckLapsed](data)
	case StepTold:
		return decode[Told](data)
	case EscalationWaits:
		return decode[Waits](data)
	case EscalationHandedOver:
		return decode[HandedOver](data)
	case PageDelivered:
		return decode[PageArrived](data)
	case PageAnswered:
		return decode[PageReply](data)
	case PageMovedOn:
		return decode[MovedOn](data)
	case PageHeld:
		return decode[Held](data)
	case ShiftChanged:
		return decode[Shift](data)
	case OnCallTaken:
		return decode[Taken](data)
	case OnCallHandedBack:
		return decode[HandedBack](data)
	case OverrideAdded:
		return decode[Overridden](data)
	case OverrideRemoved:
		return decode[OverrideGone](data)
	case SwapAsked:
		return decode[Swap](data)
	case SwapAnswered:
		return decode[SwapAnswer](data)
	case AbsenceAdded:
		return decode[Absence](data)
	case AbsenceRemoved:
		return decode[AbsenceGone](data)
	case CoverageProblem:
		return decode[Uncovered](data)
	case CoverageRestored:
		return decode[Covered](data)
	case MaintenanceStarted:
		return decode[Maintenance](data)
	case MaintenanceEnded:
		return decode[MaintenanceOver](data)
	case HeartbeatMissed:
		return decode[Silence](data)
	case HeartbeatResumed:
		return decode[Beat](data)
	case DrillStarted:
		return decode[Drill](data)
	case DrillEnded:
		return decode[DrillOver](data)
	case MessageEdited:
		return decode[Edit](data)
	case MessageDeleted:
		return decode[Deletion](data)
	case MessageLinked:
		return decode[Link](data)
	case MessagePinned:
		return decode[Pin](data)
	case MessageUnpinned:
		return decode[Unpin](data)
	case ReactionAdded:
		return decode[Reaction](data)
	case ReactionRemoved:
		return decode[ReactionGone](data)
	case RoomOpened:
		return decode[RoomMade](data)
	case RoomChanged:
		return decode[RoomChange](data)
	case RoomClosed:
		return decode[RoomEnd](data)
	case CommandAsked:
		return decode[Asked](data)
	case CommandApproved:
		return decode[Approval](data)
	case CommandRejected:
		return decode[Rejection](data)
	case CommandFinished:
		return decode[Finished](data)
	case LockTaken:
		return decode[Lock](data)
	case LockReleased:
		return decode[Unlock](data)
	case RecordsRemoved:
		return decode[Removal](data)
	}
	return nil, fmt.Errorf("timeline: unknown kind %q", kind)
}

func decode[P Payload](data []byte) (Payload, error) {
	var p P
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("timeline: payload of %s: %w", p.Kind(), err)
	}
	return p, nil
}
