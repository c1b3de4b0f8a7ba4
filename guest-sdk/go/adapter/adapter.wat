;; What Go's runtime asks of WASI preview 1, answered out of Tenter's own contract, so that a component in Go imports no
;; WASI at all.
;;
;; The adapter that WASI comes with cannot be used: it takes memory from the module before Go's runtime has started, and
;; behind the back of its allocator. This one has no memory: what it keeps stands in globals, and the one line of output
;; that is being put together stands in room that the SDK lends it (`tenter_room`).
;;
;; Two things follow from the component model: nothing here may call the host while the host asks for memory, and Go's
;; collector, which may run then, reads clocks. So the time is asked for once, at the start of a hook (`tenter_begin`).
(module
  (import "env" "memory" (memory 0))
  (import "tenter:hooks/log@0.1.0" "write" (func $log (param $level i32) (param $at i32) (param $size i32)))
  (import "tenter:hooks/call@0.1.0" "now" (func $now (result i64)))
  (import "tenter:hooks/call@0.1.0" "random" (func $random (result i64)))

  (global $wall (mut i64) (i64.const 0))             ;; nanoseconds, as of the start of the call
  (global $steady (mut i64) (i64.const 1000000000))  ;; nanoseconds; goes on by a microsecond with each look
  (global $called (mut i32) (i32.const 0))           ;; whether a hook has begun, so that the host has a call to tell of
  (global $seed (mut i32) (i32.const 0x9e3779b9))    ;; what the runtime starts from, before any call
  (global $room (mut i32) (i32.const 0))
  (global $size (mut i32) (i32.const 0))
  (global $used (mut i32) (i32.const 0))
  (global $level (mut i32) (i32.const 1))

  ;; Lends room for one line of output.
  (func (export "tenter_room") (param $room i32) (param $size i32)
    (global.set $room (local.get $room))
    (global.set $size (local.get $size)))

  ;; A hook begins.
  (func (export "tenter_begin")
    (global.set $wall (i64.mul (call $now) (i64.const 1000)))
    (global.set $steady (i64.add (global.get $steady) (i64.const 1000)))
    (if (i64.gt_s (global.get $wall) (global.get $steady))
      (then (global.set $steady (global.get $wall))))
    (global.set $called (i32.const 1)))

  ;; A hook ends: a line without an end is logged.
  (func (export "tenter_end") (call $flush))

  (func $flush
    (if (global.get $used)
      (then
        (call $say (global.get $room) (global.get $used))
        (global.set $used (i32.const 0)))))

  ;; Logs text; bytes that are no UTF-8 become question marks, in place.
  (func $say (param $at i32) (param $size i32)
    (call $mend (local.get $at) (i32.add (local.get $at) (local.get $size)))
    (call $log (global.get $level) (local.get $at) (local.get $size)))

  (func $mend (param $at i32) (param $end i32) (local $byte i32) (local $more i32) (local $low i32) (local $high i32)
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $byte (i32.load8_u (local.get $at)))
      ;; How many bytes follow, and what the first of them may be.
      (local.set $low (i32.const 0x80))
      (local.set $high (i32.const 0xbf))
      (local.set $more (i32.const 4))
      (if (i32.lt_u (local.get $byte) (i32.const 0x80)) (then (local.set $more (i32.const 0))))
      (if (call $within (local.get $byte) (i32.const 0xc2) (i32.const 0xdf)) (then (local.set $more (i32.const 1))))
      (if (call $within (local.get $byte) (i32.const 0xe0) (i32.const 0xef)) (then (local.set $more (i32.const 2))))
      (if (call $within (local.get $byte) (i32.const 0xf0) (i32.const 0xf4)) (then (local.set $more (i32.const 3))))
      (if (i32.eq (local.get $byte) (i32.const 0xe0)) (then (local.set $low (i32.const 0xa0))))
      (if (i32.eq (local.get $byte) (i32.const 0xed)) (then (local.set $high (i32.const 0x9f))))
      (if (i32.eq (local.get $byte) (i32.const 0xf0)) (then (local.set $low (i32.const 0x90))))
      (if (i32.eq (local.get $byte) (i32.const 0xf4)) (then (local.set $high (i32.const 0x8f))))
      (if (call $follow (local.get $at) (local.get $end) (local.get $more) (local.get $low) (local.get $high))
        (then (local.set $at (i32.add (local.get $at) (local.get $more))))
        (else (i32.store8 (local.get $at) (i32.const 0x3f))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next))))

  (func $within (param $byte i32) (param $low i32) (param $high i32) (result i32)
    (i32.and (i32.ge_u (local.get $byte) (local.get $low)) (i32.le_u (local.get $byte) (local.get $high))))

  ;; Whether the byte is followed by as many as it says.
  (func $follow (param $at i32) (param $end i32) (param $more i32) (param $low i32) (param $high i32) (result i32)
    (if (i32.gt_u (local.get $more) (i32.const 3)) (then (return (i32.const 0))))
    (if (i32.ge_u (i32.add (local.get $at) (local.get $more)) (local.get $end)) (then (return (i32.const 0))))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $more)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (if (i32.eqz (call $within (i32.load8_u (local.get $at)) (local.get $low) (local.get $high)))
        (then (return (i32.const 0))))
      (local.set $low (i32.const 0x80))
      (local.set $high (i32.const 0xbf))
      (local.set $more (i32.sub (local.get $more) (i32.const 1)))
      (br $next)))
    (i32.const 1))

  ;; Adds bytes to the line; each that ends is logged. Without room (a fault before the SDK has started) all is logged as
  ;; it comes.
  (func $print (param $at i32) (param $size i32) (local $byte i32)
    (if (i32.eqz (global.get $size))
      (then
        (if (local.get $size) (then (call $say (local.get $at) (local.get $size))))
        (return)))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $size)))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.eq (local.get $byte) (i32.const 10))
        (then (call $flush))
        (else
          (if (i32.eq (global.get $used) (global.get $size)) (then (call $flush)))
          (i32.store8 (i32.add (global.get $room) (global.get $used)) (local.get $byte))
          (global.set $used (i32.add (global.get $used) (i32.const 1)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $size (i32.sub (local.get $size) (i32.const 1)))
      (br $next))))

  ;; Standard output is logged as info, all else as a warning.
  (func (export "fd_write") (param $fd i32) (param $iov i32) (param $n i32) (param $out i32) (result i32)
    (local $level i32) (local $sum i32)
    (if (i32.or (i32.eqz (local.get $fd)) (i32.gt_u (local.get $fd) (i32.const 2))) (then (return (i32.const 8))))
    (local.set $level (local.get $fd))
    (if (i32.ne (local.get $level) (global.get $level))
      (then (call $flush) (global.set $level (local.get $level))))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $n)))
      (call $print (i32.load (local.get $iov)) (i32.load offset=4 (local.get $iov)))
      (local.set $sum (i32.add (local.get $sum) (i32.load offset=4 (local.get $iov))))
      (local.set $iov (i32.add (local.get $iov) (i32.const 8)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br $next)))
    (i32.store (local.get $out) (local.get $sum))
    (i32.const 0))

  ;; The runtime gives up (a stack that overflowed, no memory left) or the module asks to end: what was printed is logged,
  ;; then the call ends as a trap.
  (func (export "proc_exit") (param i32) (call $flush) unreachable)

  (func (export "clock_time_get") (param $id i32) (param i64) (param $at i32) (result i32)
    (if (i32.eqz (local.get $id))
      (then (i64.store (local.get $at) (global.get $wall)))
      (else
        (global.set $steady (i64.add (global.get $steady) (i64.const 1000)))
        (i64.store (local.get $at) (global.get $steady))))
    (i32.const 0))

  ;; Waiting ends at once: the steady clock goes on to the earliest time that was asked for. One event is reported.
  (func (export "poll_oneoff") (param $in i32) (param $out i32) (param $n i32) (param $events i32) (result i32)
    (local $time i64) (local $best i64) (local $who i32)
    (local.set $best (i64.const 0x7fffffffffffffff))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $n)))
      (if (i32.eqz (i32.load8_u offset=8 (local.get $in)))
        (then
          (local.set $time (i64.load offset=24 (local.get $in)))
          (if (i32.eqz (i32.and (i32.load16_u offset=40 (local.get $in)) (i32.const 1)))
            (then (local.set $time (i64.add (local.get $time) (global.get $steady)))))
          (if (i64.lt_s (local.get $time) (local.get $best))
            (then (local.set $best (local.get $time)) (local.set $who (local.get $in))))))
      (local.set $in (i32.add (local.get $in) (i32.const 48)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br $next)))
    (if (i32.eqz (local.get $who)) (then (return (i32.const 52))))
    (if (i64.gt_s (local.get $best) (global.get $steady)) (then (global.set $steady (local.get $best))))
    (i64.store (local.get $out) (i64.load (local.get $who)))
    (i64.store offset=8 (local.get $out) (i64.const 0))
    (i64.store offset=16 (local.get $out) (i64.const 0))
    (i64.store offset=24 (local.get $out) (i64.const 0))
    (i32.store (local.get $events) (i32.const 1))
    (i32.const 0))

  ;; From the call, once there is one: the same bits when the call is repeated, others in each call.
  (func (export "random_get") (param $at i32) (param $n i32) (result i32) (local $bits i64) (local $left i32)
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $n)))
      (if (i32.eqz (local.get $left))
        (then
          (local.set $bits (if (result i64) (global.get $called) (then (call $random)) (else (call $start))))
          (local.set $left (i32.const 8))))
      (i64.store8 (local.get $at) (local.get $bits))
      (local.set $bits (i64.shr_u (local.get $bits) (i64.const 8)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br $next)))
    (i32.const 0))

  ;; Bits for the start of the runtime, the same in every instance.
  (func $start (result i64) (local $x i32)
    (local.set $x (global.get $seed))
    (local.set $x (i32.xor (local.get $x) (i32.shl (local.get $x) (i32.const 13))))
    (local.set $x (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 17))))
    (local.set $x (i32.xor (local.get $x) (i32.shl (local.get $x) (i32.const 5))))
    (global.set $seed (local.get $x))
    (i64.mul (i64.extend_i32_u (local.get $x)) (i64.const 0x2545f4914f6cdd1d)))

  ;; No arguments, no environment.
  (func $none (param i32 i32) (result i32)
    (i32.store (local.get 0) (i32.const 0))
    (i32.store (local.get 1) (i32.const 0))
    (i32.const 0))
  (export "args_sizes_get" (func $none))
  (export "environ_sizes_get" (func $none))
  (func (export "args_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "environ_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "sched_yield") (result i32) (i32.const 0))

  ;; Standard input is at its end; there are no files (8 is EBADF) and no sockets (58 is ENOTSUP).
  (func (export "fd_read") (param $fd i32) (param i32 i32) (param $out i32) (result i32)
    (if (local.get $fd) (then (return (i32.const 8))))
    (i32.store (local.get $out) (i32.const 0))
    (i32.const 0))
  (func (export "fd_fdstat_get") (param $fd i32) (param $at i32) (result i32)
    (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (i32.const 8))))
    (i64.store (local.get $at) (i64.const 2))
    (i64.store offset=8 (local.get $at) (i64.const 0x42))
    (i64.store offset=16 (local.get $at) (i64.const 0))
    (i32.const 0))
  (func $no1 (param i32) (result i32) (i32.const 8))
  (func $no2 (param i32 i32) (result i32) (i32.const 8))
  (func $no3 (param i32 i32 i32) (result i32) (i32.const 8))
  (func $no5 (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func $no6 (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func $no7 (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func $at4 (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (export "fd_close" (func $no1))
  (export "fd_sync" (func $no1))
  (export "fd_fdstat_set_flags" (func $no2))
  (export "fd_filestat_get" (func $no2))
  (export "fd_prestat_get" (func $no2))
  (export "fd_prestat_dir_name" (func $no3))
  (export "path_create_directory" (func $no3))
  (export "path_remove_directory" (func $no3))
  (export "path_unlink_file" (func $no3))
  (export "path_filestat_get" (func $no5))
  (export "path_symlink" (func $no5))
  (export "path_readlink" (func $no6))
  (export "path_rename" (func $no6))
  (export "path_link" (func $no7))
  (export "fd_pread" (func $at4))
  (export "fd_pwrite" (func $at4))
  (func (export "fd_fdstat_set_rights") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 8))
  (func (export "fd_readdir") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (i32.const 8))
  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_accept") (param i32 i32 i32) (result i32) (i32.const 58))
  (func (export "sock_shutdown") (param i32 i32) (result i32) (i32.const 58)))
