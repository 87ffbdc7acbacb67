<?php defined('SYSPATH') OR die('Kohana bootstrap needs to be included before tests run');

require_once __DIR__.'/TestCase.php';

/**
 * The pages of the guide: the userguide module shows each of them, and what they link to is there.
 *
 * @group tortoise
 *
 * @package   Kohana/Tortoise
 * @category  Tests
 */
class Tortoise_GuideTest extends Tortoise_TestCase {

	protected function module()
	{
		return dirname(dirname(__DIR__));
	}

	protected function needs_userguide()
	{
		$file = MODPATH.'userguide/classes/Kohana/Kodoc/Markdown.php';

		if ( ! is_file($file))
			$this->markTestSkipped('This Kohana has no userguide.');

		exec(escapeshellarg(PHP_BINARY).' -n -l '.escapeshellarg($file).' 2>&1', $output, $status);

		if ($status !== 0)
			$this->markTestSkipped('This PHP cannot run the userguide of this Kohana.');
	}

	public function test_links_lead_somewhere()
	{
		$count = 0;

		foreach (glob($this->module().'/guide/tortoise/*.md') as $file)
		{
			preg_match_all('/(!?)\[[^\]]+\]\(([^)#]+)\)/', file_get_contents($file), $links, PREG_SET_ORDER);

			foreach ($links as $link)
			{
				// Pages of other modules begin with ..
				if (strpos($link[2], '..') !== 0)
				{
					$count++;
					$this->assertFileExists($this->module().($link[1] ? '/media/guide/tortoise/'.$link[2] : '/guide/tortoise/'.$link[2].'.md'), $file);
				}
			}
		}

		$this->assertGreaterThan(15, $count);
	}

	public function test_the_api_browser_shows_python_classes()
	{
		$this->needs_userguide();
		$this->write_class('application', 'Foo/Qux.py', <<<'PYTHON'
			class Foo_Qux:
			    """Keeps what it was given.

			    See also nothing.
			    """

			    def keep(self, value, times=3):
			        """Keeps a value."""
			PYTHON);

		$page = $this->run_script('
			foreach (array("guide-api", "guide-api/Foo_Qux") as $uri)
			{
				$response = Request::factory($uri)->execute();
				echo $response->status(), "\n", $response->body();
			}
		', array('userguide'));

		$this->assertStringContainsString('Keeps what it was given.', $page);
		$this->assertStringContainsString('Keeps a value.', $page);
		// The source is shown too
		$this->assertStringContainsString('def keep(self, value, times=3):', html_entity_decode(strip_tags($page)));
		$this->assertStringNotContainsString('kohana_error', $page);
	}

	public function test_the_userguide_shows_each_page()
	{
		$this->needs_userguide();

		$pages = array();

		foreach (glob($this->module().'/guide/tortoise/*.md') as $file)
		{
			if (basename($file) !== 'menu.md')
			{
				preg_match('/^# (.+)$/m', file_get_contents($file), $title);
				$pages[basename($file, '.md')] = $title[1];
			}
		}

		$output = $this->run_script('
			foreach ('.var_export($pages, TRUE).' as $page => $title)
			{
				$response = Request::factory("guide/tortoise".($page === "index" ? "" : "/".$page))->execute();
				$has_title = preg_match("~<h1[^>]*>\s*".preg_quote($title)."~", $response->body());
				echo $page, " ", $response->status(), " ", $has_title ? "shown" : "not shown", "\n";
			}
		', array('userguide'));

		foreach ($pages as $page => $title)
		{
			$this->assertStringContainsString($page." 200 shown\n", $output);
		}
	}

}
