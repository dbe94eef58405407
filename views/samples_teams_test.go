package views

import "time"

func sampleRoles(selected string) []Choice {
	return []Choice{
		{Value: "owner", Label: "Owner", Description: "Full access. Manages other owners and can delete the team.", Selected: selected == "owner"},
		{Value: "admin", Label: "Admin", Description: "Member access. Also invites and removes people, and reads the audit log.", Selected: selected == "admin"},
		{Value: "member", Label: "Member", Description: "Creates, changes and deletes stores, and views their logins.", Selected: selected == "member"},
		{Value: "viewer", Label: "Viewer", Description: "Views stores. Can’t change anything.", Selected: selected == "viewer"},
	}
}

func sampleTeams() TeamsPage {
	return TeamsPage{Shell: sampleShell("Teams", PlaceTeams), Audit: true, Teams: []TeamRow{
		{ID: "1", Name: "Mara Lindqvist", Personal: true, Role: "Owner", Members: 1, Stores: 3},
		{ID: "2", Name: "Nordlicht Shops", Role: "Admin", Members: 12, Stores: 38},
		{ID: "3", Name: longName, Role: "Viewer", Members: 2, Stores: 1},
		{ID: "4", Name: hostile, Role: "Member", Members: 2},
	}}
}

func sampleTeam() TeamPage {
	roles := sampleRoles("")
	return TeamPage{
		Shell: sampleShell("Nordlicht Shops", PlaceTeams),
		Head:  TeamHead{ID: "2", Name: "Nordlicht Shops", Role: "Owner", Stores: 2, Members: 4, Audit: true},
		Members: TeamMembers{TeamID: "2", Full: true, Rows: []TeamMember{
			{UserID: "1", Name: "Mara Lindqvist", Email: "mara@nordlicht.example", You: true, Role: roles[0], Roles: sampleRoles("owner"), Since: sampleTime.Add(-100 * 24 * time.Hour)},
			{UserID: "2", Name: "Administrator", Role: roles[1], Roles: sampleRoles("admin"), Since: sampleTime, Remove: true},
			{UserID: "3", Name: longName, Email: longName, Role: roles[2], Roles: sampleRoles("member"), Since: sampleTime, Remove: true},
			{UserID: "4", Name: hostile, Email: hostile, Role: roles[3], Roles: sampleRoles("viewer"), Since: sampleTime, Remove: true},
		}},
		Invites: &TeamInvites{TeamID: "2", Rows: []TeamInvite{
			{ID: "1", Email: "guest@example.com", Role: "Viewer", InvitedBy: "Mara Lindqvist", ExpiresAt: sampleTime.Add(7 * 24 * time.Hour), Can: true},
			{ID: "2", Role: "Member", InvitedBy: hostile, ExpiresAt: sampleTime, Expired: true, Can: true},
			{ID: "3", Email: longName, Role: "Owner", InvitedBy: longName, ExpiresAt: sampleTime},
		}},
		Form:   InviteForm{TeamID: "2", Roles: sampleRoles("member")},
		Rename: &TeamNameForm{Name: "Nordlicht Shops"},
		Leave:  TeamLeave{TeamID: "2", Why: "You’re the only owner. Make someone else an owner before you leave."},
		Delete: &TeamDelete{TeamID: "2", Name: "Nordlicht Shops", Why: "The team still has stores. Delete them first."},
	}
}

func viewersTeam() TeamPage {
	p := sampleTeam()
	p.Head.Role, p.Head.Audit = "Viewer", false
	p.Invites, p.Rename, p.Delete, p.Members.Full = nil, nil, nil, false
	for i := range p.Members.Rows {
		row := &p.Members.Rows[i]
		row.Email, row.Roles, row.Remove, row.You = "", nil, false, i == 3
	}
	p.Leave = TeamLeave{TeamID: "2", Can: true}
	return p
}

func personalTeam() TeamPage {
	p := sampleTeam()
	p.Head = TeamHead{ID: "1", Name: "Mara Lindqvist", Personal: true, Role: "Owner", Stores: 3, Members: 1, Audit: true}
	p.Members.Rows = p.Members.Rows[:1]
	p.Members.Rows[0].Roles = nil
	p.Invites, p.Delete, p.Leave = nil, nil, TeamLeave{}
	return p
}

func wrongTeam() TeamPage {
	p := sampleTeam()
	p.Problem = "A team needs an owner. Make someone else an owner first."
	p.Form.Email, p.Form.Error = hostile, "Enter an address such as mara@example.com, or leave it empty for a link."
	p.Form.Problem = "100 invitations are pending, which is the limit. Revoke some first."
	p.Rename.Name, p.Rename.Error = "", "Enter a name for the team."
	p.Delete = &TeamDelete{TeamID: "2", Name: longName, Typed: hostile, Error: "The name doesn’t match. Type it exactly as shown above."}
	p.Leave = TeamLeave{TeamID: "2", Can: true}
	return p
}

func issuedTeam() TeamPage {
	p := sampleTeam()
	p.Issued = &IssuedInvitation{Email: "guest@example.com", Role: "Viewer", Link: "https://shopwright.example.com/invitations?key=Q7RK2VBX9MTZ4NCLW8HDYP3EAB"}
	return p
}

func mailedTeam(problem string) TeamPage {
	p := issuedTeam()
	p.Issued.Mailed, p.Issued.Unmailed = problem == "", problem
	return p
}

func sampleInvitation(problem string) InvitationPage {
	return InvitationPage{
		Key: "k", Team: "Nordlicht Shops", Role: sampleRoles("")[2], InvitedBy: hostile, User: User{Name: "Guest"},
		Problem: problem, Other: problem != "", Version: "0.1.0",
	}
}

func sampleAudit() AuditPage {
	return AuditPage{
		Shell: sampleShell("Audit log", PlaceTeams), Teams: true, CSV: "/audit.csv", JSON: "/audit.json", Older: "/audit?before=3",
		Filter: AuditFilter{
			Person: "mara", On: true, From: "2026-11-01", Problem: "Dates look like 2026-11-21. Other input is ignored.",
			Groups: []Choice{{Label: "All kinds"}, {Value: "stores", Label: "Stores"}}, Teams: []Choice{{Label: "All teams"}, {Value: "2", Label: longName}},
		},
		Rows: []AuditRow{
			{Number: 9, At: sampleTime, Actor: "Mara Lindqvist", Verb: "changed the role of", Object: "Guest", Before: "viewer", After: "member", Team: "Nordlicht Shops", Address: "203.0.113.7"},
			{Number: 8, At: sampleTime, Actor: "Mara Lindqvist", Token: "nightly deploy", Verb: "created", Object: "Atelier Köhler", URL: "/stores/4", Team: "Nordlicht Shops", Address: "2001:db8:85a3:8d3:1319:8a2e:370:7348"},
			{Number: 7, At: sampleTime, Actor: "Mara Lindqvist", Verb: "invited", Object: "guest@example.com", After: "viewer", Detail: "As viewer", Team: "Nordlicht Shops", Address: "203.0.113.7"},
			{Number: 6, At: sampleTime, Actor: longName, Token: hostile, Verb: "requested an upgrade of", Object: longName, Detail: hostile, Team: longName, Address: "203.0.113.7"},
			{Number: 5, At: sampleTime, Actor: hostile, Verb: "removed", Object: hostile, Before: hostile, Team: hostile, Address: "203.0.113.7"},
			{Number: 4, At: sampleTime, Actor: "Shopwright", Verb: "deleted", Object: "Winter Market", Team: "Mara Lindqvist"},
		},
	}
}

func emptyAudit() AuditPage {
	p := sampleAudit()
	p.Rows, p.Older, p.Newest, p.Filter.Problem, p.Filter.Teams = nil, "", "/audit", "", nil
	return p
}

func teamsList() StoreList {
	l := sampleList()
	l.Team, l.Teams = "2", []Choice{{Value: "1", Label: "Mara Lindqvist"}, {Value: "2", Label: "Nordlicht Shops"}, {Value: "3", Label: longName}}
	for i := range l.Rows {
		l.Rows[i].Team = l.Teams[i%3].Label
	}
	return l
}

func teamForm() CreateForm {
	f := sampleForm()
	f.Teams, f.TeamError = teamsList().Teams, "Choose a team where you can create stores."
	return f
}
