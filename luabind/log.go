package luabind

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

func logGlobals() []global {
	level := func(name string, level Level, doc string) global {
		return global{name: "log." + name, sig: "(...: any)", doc: doc, fn: func(in *instance, L *lua.LState) int {
			in.state.Charge(L, logSteps)
			in.log(level, in.join(L))
			return 0
		}}
	}
	return []global{
		level("debug", Debug, "writes a line that matters to nobody but who looks for a fault"),
		level("info", Info, "writes a line to the log, as print does"),
		level("warn", Warn, "writes a line about something that should not be"),
		level("error", Error, "writes a line about something that failed; the script goes on"),
	}
}

// maxLine is how much of a line the log gets.
const maxLine = 8 << 10

// logSteps is what a line of the log costs: it may be written to a disk.
const logSteps = 100

func (in *instance) log(level Level, text string) {
	if in.script.opt.Log == nil {
		return
	}
	if len(text) > maxLine {
		text = text[:maxLine] + fmt.Sprintf("... (%d bytes)", len(text))
	}
	in.script.opt.Log(level, in.script.name, text)
}

// join is the text of a log line: the arguments with blanks between.
func (in *instance) join(L *lua.LState) string {
	var b strings.Builder
	for i := 1; i <= L.GetTop(); i++ {
		if i > 1 {
			b.WriteByte(' ')
		}
		text := in.state.Tostring(L, L.Get(i))
		in.state.Charge(L, len(text)/bytesAStep)
		b.WriteString(text)
	}
	return b.String()
}
