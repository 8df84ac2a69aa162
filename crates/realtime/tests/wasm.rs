//! Hazard: what works on threads stalls in the event loop of JavaScript, or blocks it.
#![cfg(all(target_arch = "wasm32", target_os = "unknown"))]

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use futures_util::{stream, StreamExt};
use js_sys::{Function, Promise};
use nanosecond_realtime::{DeadlineError, LatencyStreamExt, LocalExecutor};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{spawn_local, JsFuture};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, millis: f64) -> JsValue;
}

fn timeout(time: Duration) -> impl Future {
    JsFuture::from(Promise::new(&mut |resolve, _| {
        set_timeout(&resolve, time.as_secs_f64() * 1_000.0);
    }))
}

#[wasm_bindgen_test]
async fn tasks_sleep_and_are_woken_while_the_event_loop_runs_on() {
    let mut executor = LocalExecutor::new();
    let handle = executor.handle();
    let (to_root, replies) = futures_channel::oneshot::channel();
    let beside = Rc::new(Cell::new(0));
    let counter = Rc::clone(&beside);
    spawn_local(async move {
        for _ in 0..3 {
            timeout(Duration::from_millis(1)).await;
            counter.set(counter.get() + 1);
        }
        to_root.send("woken").unwrap();
    });
    let root = async move {
        let before = handle.now();
        let sleeper = handle.spawn(handle.sleep(Duration::from_millis(20)));
        let reply = replies.await.unwrap();
        assert_eq!(beside.get(), 3);
        sleeper.await.unwrap();
        (reply, handle.now().duration_since(before))
    };
    let (reply, took) = executor.drive(root, timeout).await;
    assert_eq!(reply, "woken");
    assert!(took >= Duration::from_millis(20));
}

#[wasm_bindgen_test]
async fn one_tick_of_a_loop_that_must_not_block() {
    let mut executor = LocalExecutor::new();
    let handle = executor.handle();
    let mut task = executor.spawn(handle.sleep(Duration::from_millis(5)));
    executor.run_until_idle();
    assert!(task.try_take().is_none());
    let report = executor.tick();
    timeout(report.next_release.unwrap().duration_since(executor.now())).await;
    timeout(Duration::from_millis(2)).await; // Timeouts may end early by a rounding.
    executor.tick();
    assert!(matches!(task.try_take(), Some(Ok(()))));
}

#[wasm_bindgen_test]
async fn streams_keep_their_order_and_tell_what_is_late() {
    let outputs = stream::iter([40, 1, 5]).map(|millis| async move {
        timeout(Duration::from_millis(millis)).await;
        millis
    });
    let outputs = outputs.with_latency_guarantee(Duration::from_millis(20));
    let outputs = outputs.collect::<Vec<_>>().await;
    assert!(matches!(&outputs[0], Err(DeadlineError::Missed { value: Some(40), .. })));
    assert_eq!(outputs.len(), 3);
}
