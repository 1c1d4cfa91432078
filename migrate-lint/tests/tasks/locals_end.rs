//! Locals hide an import only where they are in scope.

use tokio::spawn;

fn f() {
    {
        let spawn = 1;
    }
    spawn(g()); //~ dropped
    if let Some(spawn) = x {
    } else {
        spawn(g()); //~ dropped
    }
    let spawn = spawn(g()); //~ dropped
    fn inner() {
        spawn(g()); //~ dropped
    }
    let g = |spawn| 1;
    {
        use tokio::spawn;
        spawn(g()); //~ dropped
    }
}
fn after() {
    if let Some(spawn) = spawn(g()) {} //~ dropped
    while let Some(spawn) = spawn(g()) {} //~ dropped
    for spawn in spawn(g()) {} //~ dropped
    spawn(g()); //~ dropped
}
