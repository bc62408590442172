package scope

// Path returns the path of the scope.
func (s *Scope) Path() string { return s.path }

// HostFunction is for tests.
var HostFunction = hostFunction
