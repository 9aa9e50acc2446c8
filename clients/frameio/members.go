package frameio

// Member is somebody who may see a project or a folder.
type Member struct {
	User
	Role  string // as Frame.io names it
	Write bool   // the role may change what is there
	Team  bool   // may see what is for the team only
}

// Group is a group of the account's people. Neither API says what a group may see, nor who belongs to it: its people are
// listed one by one where they may see something.
type Group struct {
	ID, Name string
}
