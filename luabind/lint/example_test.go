package lint_test

import (
	"fmt"

	"github.com/tunscript/tunscript/luabind/lint"
)

func Example() {
	for _, f := range lint.Source("gate.lua", `on("tcp", function(p)
  if p.tcp.destport == 22 then return "dorp" end
end)`, lint.Options{}) {
		fmt.Println(f.Detail())
	}
	// Output:
	// gate.lua:2:12: tcp has no "destport"; did you mean "dport"?
	//       if p.tcp.destport == 22 then return "dorp" end
	//                ^
	// gate.lua:2:39: verdict: there is no "dorp": return nothing, "pass", "accept", "drop" [, reason], a packet or a list of packets; did you mean "drop"?
	//       if p.tcp.destport == 22 then return "dorp" end
	//                                           ^
}
