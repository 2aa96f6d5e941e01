-- A flaky link between two hosts: losses in bursts, jitter, copies and damage; and
-- two seconds after the start it is gone for one. The same seed loses the same.
-- Try it:  tunscript lab --pair flaky.lua -- ping -c 40 -i 0.1 192.0.2.2
local impair = require "impair"
impair{ profile = "flaky" }
impair{ blackhole = true, at = 2, for_ = 1 }
