"""The memory of a machine and of containers, from files as Linux writes them."""

import pytest

from mmcomp.datasets.memory import available_memory

MACHINE = 1000 * 1024
V1_NONE = 9223372036854771712  # what version 1 writes where there is no limit


def write(root, **files):
    files = {'proc/meminfo': 'MemTotal: 9999 kB\nMemAvailable:   1000 kB\n', **files}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(text) + '\n')


def v2(group, limit, use, inactive=0):
    folder = f'sys/fs/cgroup{group}'
    stat = f'anon 5\ninactive_file {inactive}\nactive_file 7'
    names = 'memory.max', 'memory.current', 'memory.stat'
    return {f'{folder}/{n}': text for n, text in zip(names, (limit, use, stat))}


def v1(group, limit, use, inactive=0):
    folder = f'sys/fs/cgroup/memory{group}'
    stat = f'inactive_file 3\ntotal_inactive_file {inactive}'
    names = 'memory.limit_in_bytes', 'memory.usage_in_bytes', 'memory.stat'
    return {f'{folder}/{n}': text for n, text in zip(names, (limit, use, stat))}


MANY = '9:name=systemd:/\n5:cpu,cpuacct:/other\n4:hugetlb,memory:/docker/ab\n0::/'


@pytest.mark.parametrize(
    ('groups', 'files', 'expected'),
    [
        ('0::/', {}, MACHINE),  # no container: the root has no such files
        ('0::/', v2('', 5000, 1000), 4000),  # a container that sees itself as the root
        ('0::/', v2('', 5000, 1000, inactive=300), 4300),
        ('0::/', v2('', 'max', 1000), MACHINE),
        ('0::/', v2('', 10**12, 1000), MACHINE),
        ('0::/', v2('', 5000, 6000), 0),
        ('0::/a.slice/b', {**v2('/a.slice/b', 9000, 0), **v2('', 'max', 0)}, 9000),
        ('0::/a/b', {**v2('/a/b', 9000, 0), **v2('/a', 8000, 7000)}, 1000),
        ('0::/a/b', {**v2('/a/b', 'max', 0), **v2('/a', 8000, 7000)}, 1000),
        (MANY, v1('/docker/ab', 5000, 1000, inactive=300), 4300),
        (MANY, v1('', 5000, 1000), 4000),  # mounted as the root
        (MANY, v1('/docker/ab', V1_NONE, 1000), MACHINE),
        (MANY, v1('/other', 5000, 1000), MACHINE),  # of another controller
    ],
)
def test_the_least_that_is_left(groups, files, expected, tmp_path):
    write(tmp_path, **{'proc/self/cgroup': groups, **files})
    assert available_memory(tmp_path) == expected


def test_without_control_groups(tmp_path):
    write(tmp_path)
    assert available_memory(tmp_path) == MACHINE


def test_without_proc_it_is_all_memory(tmp_path):
    assert available_memory(tmp_path) > 2**20


def test_here():
    assert 0 < available_memory() < 2**50
