package vm

// Limits bound what a script may use. A zero field takes the value of
// [DefaultLimits]; there is no way to say "unlimited".
type Limits struct {
	// Instructions is the budget of one entry by Call or Resume, in instructions of
	// the VM. Library functions with long work (patterns, sort, concat) spend from
	// it in proportion. 500,000 instructions take some 12 ms.
	Instructions int

	// LoadInstructions is the budget of one Run.
	LoadInstructions int

	// Memory is what the values of one state may hold, in bytes. It is an estimate
	// from a walk over the values (see [State.Memory]), taken when the heap of the
	// process has grown, and held within twice its value.
	Memory int

	// String is the longest string that a library function or the operator ..
	// may make, in bytes.
	String int

	// Coroutines is how many of a script's own coroutines may be alive at once.
	// Tasks and the coroutines inside pcall do not count.
	Coroutines int

	// Source is the longest source text that Compile takes, in bytes.
	Source int
}

// DefaultLimits are the limits of a script that says nothing.
func DefaultLimits() Limits {
	return Limits{
		Instructions:     500_000,
		LoadInstructions: 50_000_000,
		Memory:           64 << 20,
		String:           1 << 20,
		Coroutines:       64,
		Source:           256 << 10,
	}
}

// orDefault fills the fields left at zero.
func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	fill := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	fill(&l.Instructions, d.Instructions)
	fill(&l.LoadInstructions, d.LoadInstructions)
	fill(&l.Memory, d.Memory)
	fill(&l.String, d.String)
	fill(&l.Coroutines, d.Coroutines)
	fill(&l.Source, d.Source)
	return l
}

// Limits that nobody needs to set: they keep the Go side small and are far above
// what a script written by a person meets.
const (
	maxSyntaxDepth = 200      // nested blocks, parentheses and operators in a source, as in PUC Lua
	maxFrames      = 4200     // nested calls of the main coroutine, some 200 kept in reserve
	maxThreadFrame = 2200     // nested calls of any other coroutine
	maxRegisters   = 64 << 10 // registers of the main coroutine
	maxThreadRegs  = 16 << 10 // registers of any other coroutine
	maxNesting     = 190      // coroutines (pcall included) resumed inside each other; PUC Lua stops at 200 C calls
	maxErrorText   = 4 << 10  // bytes of an error message
	maxResults     = 8000     // values one library call may return, as in PUC Lua
	maxMatchDepth  = 1000     // nested items of a pattern
	maxCaptures    = 32       // captures of a pattern, as in PUC Lua
)
