"""One leader at a time, whatever is paused, killed or late."""

from datetime import timedelta

from service.store import keys
from service.store.lease import Held, Lease
from service.store.redis import Store


async def run_out(store: Store) -> None:
    await store.client.delete(keys.lease("judge"))


async def test_one_holds_it_and_the_other_waits_until_it_is_given_back(store: Store) -> None:
    one, two = Lease(store, "judge"), Lease(store, "judge")
    assert (await one.hold(), await one.hold(), await two.hold()) == (Held.anew, Held.still, Held.not_ours)
    await two.release()
    assert await one.renew()
    await one.release()
    assert await two.hold() is Held.anew


async def test_a_lease_that_ran_out_is_not_renewed_and_is_ours_anew_when_taken_again(store: Store) -> None:
    """A leader that was paused must learn that others may have led meanwhile, though none does now."""
    lease = Lease(store, "judge")
    assert await lease.hold() is Held.anew
    await run_out(store)
    assert not await lease.renew()
    assert await lease.hold() is Held.anew


async def test_it_is_renewed_beside_a_step_that_keeps_the_process_busy(store: Store) -> None:
    """Longer than its term, in which this thread never gives way."""
    from service.clock import sleep_until

    lease, other = Lease(store, "judge", timedelta(seconds=0.6)), Lease(store, "judge")
    with lease.renewed():
        assert await lease.hold()
        assert not sleep_until(lambda: False, seconds=1.2)
        assert await other.hold() is Held.not_ours
