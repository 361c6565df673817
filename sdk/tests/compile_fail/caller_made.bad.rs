//~ E0423
use countersign::delegation::Caller;

pub fn again(caller: &Caller) -> Caller {
    Caller(caller.clone())
}
