package frameio

// Member is somebody who may see a project or a folder.
type Member struct {
	User
	Role  string // as Frame.io names it
	Write bool   // the role may change what is there
	Team  bool   // may see what is team-only
}

// Group is a group of people in the account. Neither API tells what a group may see or who belongs to it. If its people may see
// something, they are listed individually.
type Group struct {
	ID, Name string
}
