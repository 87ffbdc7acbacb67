<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * The list of all Python files below the classes folders of the [Cascading Filesystem](kohana/files).
 *
 * Thanks to it the autoloader knows at once that a name has no Python file, which is what it is asked most. The list
 * is kept in Kohana's cache folder. It holds the time of the last change of each folder, so that finding out whether a
 * file has come or gone costs a look at each folder, and not at each file. With `Kohana::$caching` even that is done
 * every `Kohana::$cache_life` seconds only.
 *
 * @package   Kohana/Tortoise
 * @category  Base
 */
class Kohana_Tortoise_Manifest {

	/**
	 * Changes with what is stored, so that a list of another version is not read.
	 */
	const FORMAT = 1;

	/**
	 * Seconds after a change of a folder in which another one need not show, because file systems keep whole seconds.
	 */
	const UNSETTLED = 2;

	/**
	 * How deep folders are searched. No class name is that long.
	 */
	const MAX_DEPTH = 24;

	/**
	 * @var  array  folders to search, in the order of their precedence
	 */
	protected $_roots;

	/**
	 * @var  string  file that keeps the list, NULL for none
	 */
	protected $_file;

	/**
	 * @var  array  files of each folder: root => [folder below it => [time of its last change, [names], [folders]]]
	 */
	protected $_folders = array();

	/**
	 * @var  array  what [Kohana_Tortoise_Manifest::files] gives
	 */
	protected $_files = array();

	/**
	 * Reads the list, or makes it.
	 *
	 * @param  array   $roots      folders to search, in the order of their precedence, with a separator at their ends
	 * @param  string  $cache_dir  folder that keeps the list
	 * @param  integer $lifetime   seconds for which the list is not looked after; 0 in development
	 */
	public function __construct(array $roots, $cache_dir, $lifetime)
	{
		$this->_roots = $roots;
		$this->_file  = $cache_dir ? $cache_dir.DIRECTORY_SEPARATOR.'tortoise-'.md5(implode("\n", $roots)).'.txt' : NULL;

		$kept = $this->_read();

		if ($kept !== NULL)
		{
			list($time, $this->_files, $this->_folders) = $kept;

			if (time() - $time < $lifetime)
				return;
		}

		$this->_search($lifetime > 0);
	}

	/**
	 * The Python files, by the lower case class name with slashes: `foo/bar` has `Foo/Bar` and `foo/bar`.
	 *
	 * @return  array  name => [path below the root, without `.py` => number of the first root that has it]
	 */
	public function files()
	{
		return $this->_files;
	}

	/**
	 * The roots that hold Python files, in the order of their precedence.
	 *
	 * @return  array
	 */
	public function roots()
	{
		$used = array();

		foreach ($this->_folders as $root => $folders)
		{
			foreach ($folders as $folder)
			{
				if ($folder[1])
				{
					$used[] = $root;
					break;
				}
			}
		}

		return $used;
	}

	/**
	 * Looks at each folder, and lists those anew that have changed.
	 *
	 * @param   boolean  $renew  write the list also if nothing has changed, to begin a new lifetime
	 * @return  void
	 */
	protected function _search($renew)
	{
		$before = $this->_folders;
		$this->_folders = $this->_files = array();

		clearstatcache();

		foreach ($this->_roots as $rank => $root)
		{
			if (is_dir($root))
			{
				$this->_folders[$root] = array();
				$this->_folder($root, '', isset($before[$root]) ? $before[$root] : array(), 0);

				foreach ($this->_folders[$root] as $folder => $found)
				{
					foreach ($found[1] as $name)
					{
						$path = $folder.$name;
						// Underscores divide names of classes, and may stand in a name of a folder too
						$key  = strtolower(strtr($path, '_', '/'));

						if ( ! isset($this->_files[$key][$path]))
						{
							$this->_files[$key][$path] = $rank;
						}
					}
				}
			}
		}

		if ($renew OR $this->_folders !== $before)
		{
			$this->_write();
		}
	}

	/**
	 * Searches a folder and those below it.
	 *
	 * @param   string   $root
	 * @param   string   $folder  path below the root, with a slash at its end
	 * @param   array    $before  what was found the last time
	 * @param   integer  $depth
	 * @return  void
	 */
	protected function _folder($root, $folder, array $before, $depth)
	{
		// Kohana makes an exception of every warning, and a folder may go at any moment or be nobody's to read: PHP finds
		// no class there either
		$changed = @filemtime($root.$folder);

		if (isset($before[$folder]) AND $before[$folder][0] === $changed)
		{
			$found = $before[$folder];
		}
		else
		{
			$found = array($changed, array(), array());

			foreach (@scandir($root.$folder) ?: array() as $name)
			{
				if ($name[0] === '.' OR $name === '__pycache__')
					continue;

				if (substr($name, -3) === '.py')
				{
					$found[1][] = substr($name, 0, -3);
				}
				elseif (strpos($name, '.') === FALSE AND is_dir($root.$folder.$name) AND ! $this->_is_circle($root, $folder, $name))
				{
					$found[2][] = $name;
				}
			}

			if ($changed >= time() - Tortoise_Manifest::UNSETTLED)
			{
				// Another file may come without a trace: next time the folder is listed again
				$found[0] = 0;
			}
		}

		$this->_folders[$root][$folder] = $found;

		if ($depth < Tortoise_Manifest::MAX_DEPTH)
		{
			foreach ($found[2] as $name)
			{
				// A folder that was removed has changed the one that it was in
				$this->_folder($root, $folder.$name.'/', $before, $depth + 1);
			}
		}
	}

	/**
	 * Whether a folder is a symbolic link to one that it lies in.
	 *
	 * @param   string  $root
	 * @param   string  $folder
	 * @param   string  $name
	 * @return  boolean
	 */
	protected function _is_circle($root, $folder, $name)
	{
		if ( ! is_link($root.$folder.$name))
			return FALSE;

		$real  = realpath($root.$folder.$name);
		$above = $root;

		foreach (explode('/', $folder) as $part)
		{
			if (realpath($above) === $real)
				return TRUE;

			$above .= $part.'/';
		}

		return FALSE;
	}

	/**
	 * Reads the list.
	 *
	 * @return  array  time of the last look, files, folders; NULL if there is no list, or it is of no use
	 */
	protected function _read()
	{
		if ($this->_file === NULL OR ! is_file($this->_file))
			return NULL;

		// It may be cut off, or gone by now
		$kept = @unserialize((string) @file_get_contents($this->_file), array('allowed_classes' => FALSE));

		if ( ! is_array($kept) OR ! isset($kept['format']) OR $kept['format'] !== Tortoise_Manifest::FORMAT)
			return NULL;

		return array($kept['time'], $kept['files'], $kept['folders']);
	}

	/**
	 * Keeps the list, where that is possible.
	 *
	 * @return  void
	 */
	protected function _write()
	{
		if ($this->_file === NULL OR ! is_writable(dirname($this->_file)))
			return;

		$new  = $this->_file.'.'.getmypid();
		$kept = array(
			'format'  => Tortoise_Manifest::FORMAT,
			'time'    => time(),
			'files'   => $this->_files,
			'folders' => $this->_folders,
		);

		// A rename, so that nobody reads half a list. Without one the next request searches again, and that is all.
		if (@file_put_contents($new, serialize($kept)) === FALSE OR ! @rename($new, $this->_file))
		{
			@unlink($new);
		}
	}

}
